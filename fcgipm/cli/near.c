/* "Did you mean": the likeliest of some words (command line). */
#include "fcgipm/cli/near.h"

#include <stddef.h>
#include <string.h>

#include "fcgipm/base/text.h"

enum { WORD_MAX = 64 };

void near_try(struct near *n, const char *candidate)
{
	size_t len = strlen(n->word);
	unsigned distance;

	if (len < 2 || len > WORD_MAX)
		return;
	/* A beginning is a good guess, however much is missing. */
	distance = strncmp(n->word, candidate, len) == 0 ? 1 : fp_text_distance(n->word, candidate);
	if (distance > 1 + len / 4 || (n->best != NULL && distance >= n->distance))
		return;
	n->best = candidate;
	n->distance = distance;
}
