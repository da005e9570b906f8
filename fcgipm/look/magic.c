/* #! lines and ELF headers (look process).  The file is the account's: every offset and count in it is checked, nothing is executed.
 * See execve(2) and elf(5). */
#include "fcgipm/look/magic.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

enum { SCRIPT_LINE_MAX = 256, PROGRAM_HEADERS_MAX = 256 };

/* "#! /usr/bin/perl -w": blanks, the path, blanks, the rest. */
static int look_script(const char *line, size_t len, char *ret, size_t cap)
{
	size_t start = 2, end;

	while (start < len && (line[start] == ' ' || line[start] == '\t'))
		start++;
	end = start;
	while (end < len && strchr(" \t\n", line[end]) == NULL && line[end] != '\0')
		end++;
	if (end == start || end - start >= cap)
		return -ENOEXEC;
	memcpy(ret, line + start, end - start);
	ret[end - start] = '\0';
	return 0;
}

static int take_interpreter(const struct magic_file *f, uint64_t offset, uint64_t size, char *ret, size_t cap)
{
	if (size == 0 || size > cap || offset > INT64_MAX - cap)
		return -ENOEXEC;
	if (f->read_at(f->ctx, ret, size, (off_t)offset) != (ssize_t)size || ret[size - 1] != '\0')
		return -ENOEXEC;
	return 0;
}

#define LOOK_ELF(bits)                                                                                                                                         \
	static int look_elf##bits(const struct magic_file *f, char *ret, size_t cap)                                                                           \
	{                                                                                                                                                      \
		Elf##bits##_Ehdr h;                                                                                                                            \
                                                                                                                                                               \
		if (f->read_at(f->ctx, &h, sizeof(h), 0) != (ssize_t)sizeof(h) || h.e_phentsize != sizeof(Elf##bits##_Phdr))                                   \
			return -ENOEXEC;                                                                                                                       \
		for (unsigned i = 0; i < h.e_phnum && i < PROGRAM_HEADERS_MAX; i++) {                                                                          \
			Elf##bits##_Phdr p;                                                                                                                    \
			uint64_t at = h.e_phoff + (uint64_t)i * sizeof(p);                                                                                     \
                                                                                                                                                               \
			if (at > INT64_MAX || f->read_at(f->ctx, &p, sizeof(p), (off_t)at) != (ssize_t)sizeof(p))                                              \
				return -ENOEXEC;                                                                                                               \
			if (p.p_type == PT_INTERP)                                                                                                             \
				return take_interpreter(f, p.p_offset, p.p_filesz, ret, cap);                                                                  \
		}                                                                                                                                              \
		ret[0] = '\0';                                                                                                                                 \
		return 0;                                                                                                                                      \
	}
LOOK_ELF(32)
LOOK_ELF(64)

int magic_look(const struct magic_file *f, enum magic_kind *ret_kind, char *ret_interpreter, size_t cap)
{
	char head[SCRIPT_LINE_MAX];
	ssize_t n = f->read_at(f->ctx, head, sizeof(head), 0);

	if (n < 0)
		return (int)n;
	ret_interpreter[0] = '\0';
	*ret_kind = MAGIC_OTHER;
	if (n >= 2 && head[0] == '#' && head[1] == '!') {
		*ret_kind = MAGIC_SCRIPT;
		return look_script(head, (size_t)n, ret_interpreter, cap);
	}
	if (n < EI_NIDENT || memcmp(head, ELFMAG, SELFMAG) != 0)
		return 0;
	*ret_kind = MAGIC_ELF;
	if (head[EI_CLASS] == ELFCLASS64)
		return look_elf64(f, ret_interpreter, cap);
	return head[EI_CLASS] == ELFCLASS32 ? look_elf32(f, ret_interpreter, cap) : -ENOEXEC;
}
