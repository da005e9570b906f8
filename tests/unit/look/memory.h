/* Bytes in memory as a file, and ELF files made to measure. */
#ifndef TESTS_UNIT_LOOK_MEMORY_H
#define TESTS_UNIT_LOOK_MEMORY_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fcgipm/look/bytes.h"

struct memory {
	size_t len;
	uint8_t at[16384];
};

static inline ssize_t memory_read(void *ctx, void *buf, size_t len, off_t offset)
{
	const struct memory *m = ctx;
	size_t n;

	if (offset < 0 || (size_t)offset >= m->len)
		return 0;
	n = m->len - (size_t)offset < len ? m->len - (size_t)offset : len;
	memcpy(buf, m->at + offset, n);
	return (ssize_t)n;
}

static inline struct bytes memory_bytes(struct memory *m)
{
	return (struct bytes){memory_read, m};
}

/* A shared library or program of this byte order, with its strings one behind the other as in {"", "libc.so.6", NULL}: entry i of the dynamic section is
 * {tags[i], offset of the i-th string}.  Both are loaded at VADDR. */
enum { ELF_AT_HEADERS = 0x40, ELF_AT_INTERP = 0x200, ELF_AT_DYNAMIC = 0x300, ELF_AT_STRINGS = 0x600, ELF_VADDR = 0x10000 };

struct recipe {
	uint8_t class;
	uint16_t type, machine;
	const char *interpreter; /* NULL: none */
	const int64_t *tags; /* DT_NULL ends them */
	const char *const *strings;
};

/* clang-format off */
#define MAKE_ELF(bits)                                                                                                               \
	static inline void make_elf##bits(struct memory *m, const struct recipe *r)                                                  \
	{                                                                                                                            \
		Elf##bits##_Ehdr h = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, r->class,                                      \
					  __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB, EV_CURRENT},         \
				      .e_type = r->type, .e_machine = r->machine, .e_version = EV_CURRENT,                            \
				      .e_phoff = ELF_AT_HEADERS, .e_ehsize = sizeof(h), .e_phentsize = sizeof(Elf##bits##_Phdr)};      \
		Elf##bits##_Phdr p[3] = {                                                                                            \
			{.p_type = PT_LOAD, .p_vaddr = ELF_VADDR, .p_filesz = sizeof(m->at), .p_memsz = sizeof(m->at)},              \
			{.p_type = PT_DYNAMIC, .p_offset = ELF_AT_DYNAMIC, .p_vaddr = ELF_VADDR + ELF_AT_DYNAMIC},                   \
			{.p_type = PT_INTERP, .p_offset = ELF_AT_INTERP},                                                            \
		};                                                                                                                   \
		Elf##bits##_Dyn d[64] = {{0}};                                                                                       \
		size_t n = 0, at = 0;                                                                                                \
                                                                                                                                     \
		for (; r->tags[n] != DT_NULL; n++) {                                                                                 \
			d[n].d_tag = r->tags[n];                                                                                     \
			d[n].d_un.d_val = at;                                                                                        \
			memcpy(m->at + ELF_AT_STRINGS + at, r->strings[n], strlen(r->strings[n]) + 1);                               \
			at += strlen(r->strings[n]) + 1;                                                                             \
		}                                                                                                                    \
		d[n].d_tag = DT_STRTAB;                                                                                              \
		d[n++].d_un.d_val = ELF_VADDR + ELF_AT_STRINGS;                                                                      \
		d[n].d_tag = DT_STRSZ;                                                                                               \
		d[n++].d_un.d_val = at;                                                                                              \
		n++;                                                                                                                 \
		p[1].p_filesz = n * sizeof(d[0]);                                                                                    \
		h.e_phnum = r->interpreter != NULL ? 3 : 2;                                                                          \
		if (r->interpreter != NULL) {                                                                                        \
			p[2].p_filesz = strlen(r->interpreter) + 1;                                                                  \
			memcpy(m->at + ELF_AT_INTERP, r->interpreter, p[2].p_filesz);                                                \
		}                                                                                                                    \
		memcpy(m->at, &h, sizeof(h));                                                                                        \
		memcpy(m->at + ELF_AT_HEADERS, p, sizeof(p));                                                                        \
		memcpy(m->at + ELF_AT_DYNAMIC, d, n * sizeof(d[0]));                                                                 \
	}
MAKE_ELF(32)
MAKE_ELF(64)
/* clang-format on */

static inline void make_elf(struct memory *m, const struct recipe *r)
{
	memset(m, 0, sizeof(*m));
	m->len = sizeof(m->at);
	(r->class == ELFCLASS32 ? make_elf32 : make_elf64)(m, r);
}

#endif
