/* What an ELF file says of itself: who runs it, what it needs, where that is looked for.  Pure: foreign bytes in, bounded values out.
 * Only this machine's byte order is read; another one is named and refused. */
#ifndef FCGIPM_LOOK_ELF_H
#define FCGIPM_LOOK_ELF_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/look/bytes.h"

enum { ELF_PATH_MAX = 512, ELF_NAME_MAX = 256, ELF_RPATH_MAX = 4096, ELF_NEEDED_MAX = 512, ELF_HEADERS_MAX = 256 };
/* An offset into the strings that is not there. */
#define ELF_NO_STRING UINT64_MAX

struct elf {
	uint8_t class; /* ELFCLASS32 or ELFCLASS64 */
	uint16_t type, machine;
	char interpreter[ELF_PATH_MAX]; /* PT_INTERP; "" none */
	uint64_t dynamic_at, dynamic_len; /* PT_DYNAMIC in the file; len 0: static */
	uint32_t header_count;
	uint8_t headers[ELF_HEADERS_MAX * sizeof(Elf64_Phdr)];
	/* of elf_read_dynamic: */
	uint64_t strings_at, strings_len; /* DT_STRTAB in the file */
	uint64_t soname, rpath, runpath; /* offsets into it, or ELF_NO_STRING */
	uint32_t needed_count; /* of more than ELF_NEEDED_MAX the rest is left out */
	uint64_t needed[ELF_NEEDED_MAX];
};

/* 0; -ENOEXEC: no ELF file or a broken one; -ENOTSUP: of the other byte order (class, machine and type are not read). */
int elf_read(const struct bytes *f, struct elf *ret);
/* After elf_read: the dynamic section.  0, also for a static file; -ENOEXEC: broken. */
int elf_read_dynamic(const struct bytes *f, struct elf *e);
/* The string at an offset, whole.  -ENOEXEC: outside of the strings, or longer than cap. */
int elf_string(const struct bytes *f, const struct elf *e, uint64_t offset, char *ret, size_t cap);
/* Does one of the strings (of the first megabyte) end in one of these words, of at most ELF_NAME_MAX bytes?  NULL ends the list. */
bool elf_mentions(const struct bytes *f, const struct elf *e, const char *const *words);

/* "x86-64", "ARM64" and so on; "machine N" in a static buffer for others. */
const char *elf_machine_name(uint16_t machine);
/* Can this machine's kernel run it beside what we were built for? */
bool elf_runs_here(const struct elf *e);

#endif
