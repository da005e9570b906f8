/* Texts that live as long as an import: given out one by one, freed at once.  When memory is out they are "" from there on, and failed is set. */
#ifndef FCGIPM_IMPORT_KEEP_H
#define FCGIPM_IMPORT_KEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "fcgipm/base/arena.h"

struct keep {
	struct fp_arena arena;
	bool failed;
};

/* Zeroed; NULL when memory is out. */
void *keep_alloc(struct keep *k, size_t len);
/* Never NULL. */
const char *keep_text(struct keep *k, const char *bytes, size_t len);
const char *keep_printf(struct keep *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void keep_fini(struct keep *k);

#endif
