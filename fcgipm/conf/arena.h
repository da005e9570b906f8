/* Memory for one configuration: given out in order, freed at once. */
#ifndef FCGIPM_CONF_ARENA_H
#define FCGIPM_CONF_ARENA_H

#include <stddef.h>

struct conf_arena {
	struct conf_chunk *chunks;
	size_t used; /* of the newest chunk */
};

/* Zeroed and aligned for any type; NULL when memory is out. */
void *conf_alloc(struct conf_arena *a, size_t len);
/* A copy with a NUL behind it. */
char *conf_copy(struct conf_arena *a, const char *bytes, size_t len);
char *conf_printf(struct conf_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void conf_arena_fini(struct conf_arena *a);

#endif
