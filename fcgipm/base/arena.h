/* Memory that is given out in order and freed at once. */
#ifndef FCGIPM_BASE_ARENA_H
#define FCGIPM_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

/* All zero is an empty one. */
struct fp_arena {
	struct fp_chunk *chunks;
	size_t used; /* of the newest chunk */
};

/* Zeroed and aligned for any type; NULL when memory is out. */
void *fp_arena_alloc(struct fp_arena *a, size_t len);
/* A copy with a NUL behind it; NULL when memory is out. */
char *fp_arena_copy(struct fp_arena *a, const char *bytes, size_t len);
char *fp_arena_printf(struct fp_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *fp_arena_vprintf(struct fp_arena *a, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void fp_arena_fini(struct fp_arena *a);

#endif
