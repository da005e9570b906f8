/* Any bytes as an executable: who runs it, what does it need? */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/look/elf.h"
#include "fcgipm/look/magic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct memory {
	const uint8_t *at;
	size_t len;
};

static ssize_t read_at(void *ctx, void *buf, size_t len, off_t offset)
{
	const struct memory *m = ctx;
	size_t n;

	if (offset < 0)
		return -EINVAL;
	if ((size_t)offset >= m->len)
		return 0;
	n = m->len - (size_t)offset < len ? m->len - (size_t)offset : len;
	memcpy(buf, m->at + offset, n);
	return (ssize_t)n;
}

static void must_end(const char *text, size_t cap)
{
	if (memchr(text, '\0', cap) == NULL)
		abort();
}

static void string_at(const struct bytes *f, const struct elf *e, uint64_t offset)
{
	char text[64];

	memset(text, 'x', sizeof(text));
	if (elf_string(f, e, offset, text, sizeof(text)) == 0)
		must_end(text, sizeof(text));
}

static void look_at_elf(const struct bytes *f)
{
	static const char *const words[] = {"getaddrinfo", "GLIBC_2.34", NULL};
	static struct elf e;

	if (elf_read(f, &e) < 0)
		return;
	must_end(e.interpreter, sizeof(e.interpreter));
	if (elf_read_dynamic(f, &e) < 0)
		return;
	for (uint32_t i = 0; i < e.needed_count; i++)
		string_at(f, &e, e.needed[i]);
	string_at(f, &e, e.soname);
	string_at(f, &e, e.rpath);
	string_at(f, &e, e.runpath);
	elf_mentions(f, &e, words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory m = {data, size};
	struct bytes f = {read_at, &m};
	char program[32];
	struct magic magic;

	memset(&magic, 'x', sizeof(magic));
	if (magic_look(&f, &magic) == 0) {
		must_end(magic.interpreter, sizeof(magic.interpreter));
		must_end(magic.argument, sizeof(magic.argument));
		if (magic_env_program(magic.argument, program, sizeof(program)) == 0)
			must_end(program, sizeof(program));
	}
	look_at_elf(&f);
	return 0;
}
