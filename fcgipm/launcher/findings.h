/* What looks have found, in the order of the file: looks end in any order. */
#ifndef FCGIPM_LAUNCHER_FINDINGS_H
#define FCGIPM_LAUNCHER_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgipm/base/text.h"
#include "fcgipm/spec/spec.h"

/* "FILE:LINE:COLUMN: warning: pools.POOL.KEY: TEXT" */
struct finding {
	bool warning;
	struct spec_place place;
	uint32_t pool_index; /* in the order of the spec */
	const char *file, *pool, *key, *text; /* key: "" for the pool itself */
};

struct finding_kept;
struct findings {
	struct finding_kept *list;
	size_t count, cap;
};

/* The texts are copied; it is dropped when there is no memory: who adds it counts. */
void findings_add(struct findings *f, const struct finding *what);
/* Something has been said of that key of that pool. */
bool findings_has(const struct findings *f, uint32_t pool_index, const char *key);
/* Adds all to d, a line each, errors first, and forgets them.  What several pools have from one line, they have from defaults: of the same text one line is
 * left, "defaults.KEY".  Returns how many warnings were left out for that. */
uint32_t findings_print(struct findings *f, struct fp_doc *d);
void findings_fini(struct findings *f);

#endif
