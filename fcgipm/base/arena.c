/* Memory in chunks. */
#include "fcgipm/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef __has_feature
#define __has_feature(what) 0 /* clang has it, gcc a macro */
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
enum { CHUNK_LEN = 0 }; /* a chunk each, so that the sanitizer sees where each ends */
#else
enum { CHUNK_LEN = 1 << 18 };
#endif
enum { ALIGNMENT = alignof(max_align_t) };

struct fp_chunk {
	struct fp_chunk *next;
	size_t cap;
	alignas(max_align_t) char bytes[];
};

void *fp_arena_alloc(struct fp_arena *a, size_t len)
{
	size_t at = (a->used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

	if (len > SIZE_MAX / 2)
		return NULL;
	if (a->chunks == NULL || at > a->chunks->cap || a->chunks->cap - at < len) {
		size_t cap = len > CHUNK_LEN ? len : CHUNK_LEN;
		struct fp_chunk *c = calloc(1, sizeof(*c) + cap);

		if (c == NULL)
			return NULL;
		c->cap = cap;
		c->next = a->chunks;
		a->chunks = c;
		at = 0;
	}
	a->used = at + len;
	return a->chunks->bytes + at;
}

char *fp_arena_copy(struct fp_arena *a, const char *bytes, size_t len)
{
	char *copy = fp_arena_alloc(a, len + 1);

	if (copy != NULL)
		memcpy(copy, bytes, len);
	return copy;
}

char *fp_arena_vprintf(struct fp_arena *a, const char *fmt, va_list ap)
{
	char *text = NULL;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n >= 0)
		text = fp_arena_alloc(a, (size_t)n + 1);
	if (text != NULL)
		vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	return text;
}

char *fp_arena_printf(struct fp_arena *a, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = fp_arena_vprintf(a, fmt, ap);
	va_end(ap);
	return text;
}

void fp_arena_fini(struct fp_arena *a)
{
	while (a->chunks != NULL) {
		struct fp_chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
	a->used = 0;
}
