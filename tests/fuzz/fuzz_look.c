/* Any bytes as the beginning of an executable: what interpreter does it name? */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/look/magic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
	const uint8_t *at;
	size_t len;
};

static ssize_t read_at(void *ctx, void *buf, size_t len, off_t offset)
{
	const struct bytes *b = ctx;
	size_t n;

	if (offset < 0)
		return -EINVAL;
	if ((size_t)offset >= b->len)
		return 0;
	n = b->len - (size_t)offset < len ? b->len - (size_t)offset : len;
	memcpy(buf, b->at + offset, n);
	return (ssize_t)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = {data, size};
	struct magic_file f = {read_at, &b};
	enum magic_kind kind;
	char interpreter[64];

	memset(interpreter, 'x', sizeof(interpreter));
	if (magic_look(&f, &kind, interpreter, sizeof(interpreter)) == 0 && memchr(interpreter, '\0', sizeof(interpreter)) == NULL)
		abort();
	return 0;
}
