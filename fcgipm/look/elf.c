/* ELF headers and dynamic sections (look process), after elf(5).  The file is the account's: every offset and count in it is checked, reads are bounded,
 * nothing is mapped and nothing is executed. */
#include "fcgipm/look/elf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { DYNAMIC_ENTRIES_MAX = 4096, SEARCHED_MAX = 1 << 20, BLOCK = 16 << 10 };

/* Where a field is: both classes hold the same, in words of 4 or 8 bytes. */
struct layout {
	uint32_t word, ehdr, phdr, phoff, phentsize, phnum, p_offset, p_vaddr, p_filesz;
};
/* clang-format off */
#define LAYOUT(bits)                                                                                                   \
	{                                                                                                              \
		.word = bits / 8, .ehdr = sizeof(Elf##bits##_Ehdr), .phdr = sizeof(Elf##bits##_Phdr),                  \
		.phoff = offsetof(Elf##bits##_Ehdr, e_phoff), .phentsize = offsetof(Elf##bits##_Ehdr, e_phentsize),    \
		.phnum = offsetof(Elf##bits##_Ehdr, e_phnum), .p_offset = offsetof(Elf##bits##_Phdr, p_offset),        \
		.p_vaddr = offsetof(Elf##bits##_Phdr, p_vaddr), .p_filesz = offsetof(Elf##bits##_Phdr, p_filesz),      \
	}
/* clang-format on */
static const struct layout layout32 = LAYOUT(32), layout64 = LAYOUT(64);

static const struct layout *layout_of(const struct elf *e)
{
	return e->class == ELFCLASS64 ? &layout64 : &layout32;
}

static uint16_t half_at(const uint8_t *at)
{
	uint16_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static uint64_t word_at(const struct layout *l, const uint8_t *at)
{
	uint32_t v32;
	uint64_t v64;

	if (l->word == sizeof(v64)) {
		memcpy(&v64, at, sizeof(v64));
		return v64;
	}
	memcpy(&v32, at, sizeof(v32));
	return v32;
}

/* Exactly len bytes, or -ENOEXEC. */
static int read_whole(const struct bytes *f, void *buf, size_t len, uint64_t offset)
{
	ssize_t n;

	if (offset > INT64_MAX - len)
		return -ENOEXEC;
	n = f->read_at(f->ctx, buf, len, (off_t)offset);
	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -ENOEXEC;
}

/* ---- headers ---- */

struct segment {
	uint32_t type;
	uint64_t offset, vaddr, filesz;
};

static struct segment segment_at(const struct elf *e, uint32_t i)
{
	const struct layout *l = layout_of(e);
	const uint8_t *at = e->headers + (size_t)i * l->phdr;
	struct segment s = {
		.offset = word_at(l, at + l->p_offset),
		.vaddr = word_at(l, at + l->p_vaddr),
		.filesz = word_at(l, at + l->p_filesz),
	};

	memcpy(&s.type, at, sizeof(s.type)); /* first in both classes */
	return s;
}

static int read_interpreter(const struct bytes *f, const struct segment *s, char *ret)
{
	int r;

	if (s->filesz == 0 || s->filesz > ELF_PATH_MAX)
		return -ENOEXEC;
	r = read_whole(f, ret, s->filesz, s->offset);
	return r == 0 && (ret[0] == '\0' || ret[s->filesz - 1] != '\0') ? -ENOEXEC : r;
}

static int read_headers(const struct bytes *f, struct elf *e, const uint8_t *head)
{
	const struct layout *l = layout_of(e);
	uint32_t count = half_at(head + l->phnum);
	int r;

	if (count > 0 && half_at(head + l->phentsize) != l->phdr)
		return -ENOEXEC;
	e->header_count = count < ELF_HEADERS_MAX ? count : ELF_HEADERS_MAX;
	r = read_whole(f, e->headers, (size_t)e->header_count * l->phdr, word_at(l, head + l->phoff));
	for (uint32_t i = 0; r == 0 && i < e->header_count; i++) {
		struct segment s = segment_at(e, i);

		if (s.type == PT_INTERP)
			r = read_interpreter(f, &s, e->interpreter);
		if (s.type != PT_DYNAMIC)
			continue;
		e->dynamic_at = s.offset;
		e->dynamic_len = s.filesz;
	}
	return r;
}

int elf_read(const struct bytes *f, struct elf *ret)
{
	static const uint8_t here = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	uint8_t head[sizeof(Elf64_Ehdr)] = {0};
	ssize_t n = f->read_at(f->ctx, head, sizeof(head), 0);

	if (n < 0)
		return (int)n;
	memset(ret, 0, sizeof(*ret));
	ret->soname = ret->rpath = ret->runpath = ELF_NO_STRING;
	ret->class = head[EI_CLASS];
	if (n < EI_NIDENT || memcmp(head, ELFMAG, SELFMAG) != 0 || (ret->class != ELFCLASS32 && ret->class != ELFCLASS64))
		return -ENOEXEC;
	if (head[EI_DATA] != here)
		return head[EI_DATA] == ELFDATA2LSB || head[EI_DATA] == ELFDATA2MSB ? -ENOTSUP : -ENOEXEC;
	if ((size_t)n < layout_of(ret)->ehdr)
		return -ENOEXEC;
	ret->type = half_at(head + EI_NIDENT);
	ret->machine = half_at(head + EI_NIDENT + sizeof(ret->type));
	return read_headers(f, ret, head);
}

/* ---- the dynamic section ---- */

/* Addresses are the program's: the loaded segments say where in the file they are. */
static bool file_offset(const struct elf *e, uint64_t vaddr, uint64_t *ret, uint64_t *ret_room)
{
	for (uint32_t i = 0; i < e->header_count; i++) {
		struct segment s = segment_at(e, i);

		if (s.type != PT_LOAD || vaddr < s.vaddr || vaddr - s.vaddr >= s.filesz || s.offset > INT64_MAX || s.filesz > INT64_MAX - s.offset)
			continue;
		*ret = s.offset + (vaddr - s.vaddr);
		*ret_room = s.filesz - (vaddr - s.vaddr);
		return true;
	}
	return false;
}

static void take_entry(struct elf *e, uint64_t tag, uint64_t value)
{
	switch (tag) {
	case DT_NEEDED:
		if (e->needed_count < ELF_NEEDED_MAX)
			e->needed[e->needed_count++] = value;
		break;
	case DT_STRTAB:
		e->strings_at = value;
		break;
	case DT_STRSZ:
		e->strings_len = value;
		break;
	case DT_SONAME:
		e->soname = value;
		break;
	case DT_RPATH:
		e->rpath = value;
		break;
	case DT_RUNPATH:
		e->runpath = value;
		break;
	default:
		break;
	}
}

static int read_entries(const struct bytes *f, struct elf *e)
{
	const struct layout *l = layout_of(e);
	uint64_t size = 2 * (uint64_t)l->word, count = e->dynamic_len / size;
	uint8_t block[64 * 2 * sizeof(uint64_t)];

	for (uint64_t i = 0; i < count && i < DYNAMIC_ENTRIES_MAX; i++) {
		uint64_t in_block = i % 64, left = count - i < 64 ? count - i : 64;
		const uint8_t *at = block + in_block * size;
		int r = in_block > 0 ? 0 : e->dynamic_at > INT64_MAX ? -ENOEXEC : read_whole(f, block, left * size, e->dynamic_at + i * size);

		if (r < 0)
			return r;
		if (word_at(l, at) == DT_NULL)
			return 0;
		take_entry(e, word_at(l, at), word_at(l, at + l->word));
	}
	return 0;
}

int elf_read_dynamic(const struct bytes *f, struct elf *e)
{
	uint64_t room;
	int r;

	if (e->dynamic_len == 0)
		return 0;
	r = read_entries(f, e);
	if (r < 0)
		return r;
	if (e->strings_len == 0)
		return e->needed_count == 0 ? 0 : -ENOEXEC;
	if (!file_offset(e, e->strings_at, &e->strings_at, &room) || room < e->strings_len) {
		e->strings_len = 0;
		return -ENOEXEC;
	}
	return 0;
}

int elf_string(const struct bytes *f, const struct elf *e, uint64_t offset, char *ret, size_t cap)
{
	size_t len;
	ssize_t n;

	if (offset >= e->strings_len)
		return -ENOEXEC;
	len = e->strings_len - offset < cap ? (size_t)(e->strings_len - offset) : cap;
	n = f->read_at(f->ctx, ret, len, (off_t)(e->strings_at + offset));
	if (n < 0)
		return (int)n;
	return memchr(ret, '\0', (size_t)n) != NULL ? 0 : -ENOEXEC;
}

/* The end of a string will do: a linker lets "getaddrinfo" share the end of "uv_getaddrinfo". */
static bool block_holds(const char *block, size_t len, const char *const *words)
{
	for (; *words != NULL; words++)
		if (memmem(block, len, *words, strlen(*words) + 1) != NULL)
			return true;
	return false;
}

bool elf_mentions(const struct bytes *f, const struct elf *e, const char *const *words)
{
	uint64_t len = e->strings_len < SEARCHED_MAX ? e->strings_len : SEARCHED_MAX;
	char block[BLOCK];

	/* Blocks overlap by the longest word and its NUL. */
	for (uint64_t at = 0; at < len; at += BLOCK - ELF_NAME_MAX - 1) {
		size_t want = len - at < BLOCK ? (size_t)(len - at) : BLOCK;
		ssize_t n = f->read_at(f->ctx, block, want, (off_t)(e->strings_at + at));

		if (n <= 0)
			return false;
		if (block_holds(block, (size_t)n, words))
			return true;
	}
	return false;
}

/* ---- machines ---- */

static const struct machine {
	uint16_t machine;
	const char *name;
} machines[] = {
	{EM_X86_64, "x86-64"},    {EM_386, "i386"},      {EM_AARCH64, "ARM64"}, {EM_ARM, "ARM"},   {EM_RISCV, "RISC-V"},
	{EM_PPC64, "POWER64"},    {EM_PPC, "PowerPC"},   {EM_S390, "IBM Z"},    {EM_MIPS, "MIPS"}, {EM_LOONGARCH, "LoongArch"},
	{EM_SPARCV9, "SPARC V9"}, {EM_IA_64, "Itanium"},
};

const char *elf_machine_name(uint16_t machine)
{
	static char other[32];

	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (machines[i].machine == machine)
			return machines[i].name;
	snprintf(other, sizeof(other), "machine %u", machine);
	return other;
}

bool elf_runs_here(const struct elf *e)
{
#if defined(__x86_64__)
	return e->machine == EM_X86_64 || e->machine == EM_386;
#elif defined(__aarch64__)
	return e->machine == EM_AARCH64 || e->machine == EM_ARM;
#else
	(void)e; /* the byte order is ours, or it would not have been read */
	return true;
#endif
}
