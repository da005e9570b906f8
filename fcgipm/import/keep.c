/* Texts that live as long as an import (command line). */
#include "fcgipm/import/keep.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct keep_block {
	struct keep_block *next;
	alignas(max_align_t) char bytes[];
};

void *keep_alloc(struct keep *k, size_t len)
{
	struct keep_block *b = calloc(1, sizeof(*b) + len);

	if (b == NULL) {
		k->failed = true;
		return NULL;
	}
	b->next = k->blocks;
	k->blocks = b;
	return b->bytes;
}

const char *keep_text(struct keep *k, const char *bytes, size_t len)
{
	char *copy = keep_alloc(k, len + 1);

	if (copy == NULL)
		return "";
	memcpy(copy, bytes, len);
	return copy;
}

const char *keep_printf(struct keep *k, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n >= 0)
		text = keep_alloc(k, (size_t)n + 1);
	if (text == NULL)
		return "";
	va_start(ap, fmt);
	vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return text;
}

void keep_fini(struct keep *k)
{
	while (k->blocks != NULL) {
		struct keep_block *next = k->blocks->next;

		free(k->blocks);
		k->blocks = next;
	}
}
