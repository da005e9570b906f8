/* Texts that live as long as an import (command line). */
#include "fcgipm/import/keep.h"

#include <stdarg.h>

void *keep_alloc(struct keep *k, size_t len)
{
	void *at = fp_arena_alloc(&k->arena, len);

	k->failed |= at == NULL;
	return at;
}

const char *keep_text(struct keep *k, const char *bytes, size_t len)
{
	const char *copy = fp_arena_copy(&k->arena, bytes, len);

	k->failed |= copy == NULL;
	return copy != NULL ? copy : "";
}

const char *keep_printf(struct keep *k, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = fp_arena_vprintf(&k->arena, fmt, ap);
	va_end(ap);
	k->failed |= text == NULL;
	return text != NULL ? text : "";
}

void keep_fini(struct keep *k)
{
	fp_arena_fini(&k->arena);
}
