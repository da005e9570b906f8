/* "Did you mean": the likeliest of some words. */
#ifndef FCGIPM_CLI_NEAR_H
#define FCGIPM_CLI_NEAR_H

struct near {
	const char *word; /* what was written */
	const char *best; /* the likeliest so far, or NULL */
	unsigned distance;
};

void near_try(struct near *n, const char *candidate);

#endif
