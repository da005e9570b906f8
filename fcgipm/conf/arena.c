/* Memory for one configuration (conf process). */
#include "fcgipm/conf/arena.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_LEN = 1 << 18 };

struct conf_chunk {
	struct conf_chunk *next;
	size_t cap;
	alignas(max_align_t) char bytes[];
};

void *conf_alloc(struct conf_arena *a, size_t len)
{
	size_t cap = len > CHUNK_LEN ? len : CHUNK_LEN;
	void *at;

	len = (len + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (a->chunks == NULL || a->chunks->cap - a->used < len) {
		struct conf_chunk *c = calloc(1, sizeof(*c) + cap + alignof(max_align_t));

		if (c == NULL)
			return NULL;
		c->cap = cap + alignof(max_align_t);
		c->next = a->chunks;
		a->chunks = c;
		a->used = 0;
	}
	at = a->chunks->bytes + a->used;
	a->used += len;
	return at;
}

char *conf_copy(struct conf_arena *a, const char *bytes, size_t len)
{
	char *copy = conf_alloc(a, len + 1);

	if (copy != NULL)
		memcpy(copy, bytes, len);
	return copy;
}

char *conf_printf(struct conf_arena *a, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n >= 0)
		text = conf_alloc(a, (size_t)n + 1);
	if (text == NULL)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return text;
}

void conf_arena_fini(struct conf_arena *a)
{
	while (a->chunks != NULL) {
		struct conf_chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
	a->used = 0;
}
