/* The head of an application's answer: any bytes, in pieces of any size. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/fcgi/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says how large the pieces are.  Names and values that are told hold no control byte but tab. */
static void check(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' && *s != '\t')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char buf[512];
	struct fcgi_head h = FCGI_HEAD(buf, sizeof(buf));
	struct fcgi_field f;
	size_t piece = size > 0 ? data[0] + 1u : 1, at = 1;

	while (at < size && h.state == FCGI_HEAD_MORE) {
		size_t n = size - at < piece ? size - at : piece, used = fcgi_head_take(&h, (const char *)data + at, n);

		if (used > n || (used < n && h.state == FCGI_HEAD_MORE))
			abort();
		at += used;
	}
	while (fcgi_head_next(&h, &f)) {
		if (h.state != FCGI_HEAD_READY || *f.name == '\0')
			abort();
		check(f.name);
		check(f.value);
	}
	if (h.state == FCGI_HEAD_READY && h.status_line != NULL && (h.status < 100 || h.status > 999))
		abort();
	return 0;
}
