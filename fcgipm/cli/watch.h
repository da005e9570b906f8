/* The status, again and again. */
#ifndef FCGIPM_CLI_WATCH_H
#define FCGIPM_CLI_WATCH_H

#include "fcgipm/base/text.h"
#include "fcgipm/cli/cli.h"
#include "fcgipm/view/table.h"

struct watch {
	const struct cli *cli;
	const char *pool; /* "": all */
	int64_t interval_ms;
	bool bare; /* for machines: only what render() gives, one after the other */
	void (*render)(const struct cli *cli, struct fp_doc *d, const struct view *v, const struct table_style *style);
	struct view view; /* sort and filter are the caller's */
};

/* Until nobody reads any more (a success) or the manager refuses; signals end it as any program.  Returns the exit code. */
int watch_run(struct watch *w);

/* "2", "500ms", "1m" as milliseconds, NULL as two seconds; 0 or a usage error. */
int watch_interval(const struct cli *cli, const char *text, int64_t *ret_ms);

#endif
