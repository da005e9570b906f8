/* ELF files in memory: what they say, and what they may not make us believe. */
#include "fcgipm/look/elf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/look/memory.h"

static const int64_t tags[] = {DT_DEBUG, DT_NEEDED, DT_NEEDED, DT_SONAME, DT_RPATH, DT_RUNPATH, DT_NULL};
static const char *const strings[] = {"", "libm.so.6", "libc.so.6", "libx.so.1", "/opt/lib", "$ORIGIN/lib", NULL};

static struct memory m;
static struct elf e;
static char text[ELF_RPATH_MAX];

static struct recipe good(uint8_t class)
{
	return (struct recipe){class, ET_DYN, EM_X86_64, "/lib64/ld-linux-x86-64.so.2", tags, strings};
}

static const char *string_at(uint64_t offset)
{
	struct bytes f = memory_bytes(&m);

	assert_int_equal(elf_string(&f, &e, offset, text, sizeof(text)), 0);
	return text;
}

static int read_all(void)
{
	struct bytes f = memory_bytes(&m);
	int r = elf_read(&f, &e);

	return r == 0 ? elf_read_dynamic(&f, &e) : r;
}

static void both_classes_are_read(void **state)
{
	static const char *const there[] = {"libm.so.6", NULL}, *const end[] = {"so.6", NULL}, *const not [] = {"libz.so.1", NULL};
	struct bytes f = memory_bytes(&m);

	(void)state;
	for (uint8_t class = ELFCLASS32; class <= ELFCLASS64; class ++) {
		struct recipe r = good(class);

		make_elf(&m, &r);
		assert_int_equal(read_all(), 0);
		assert_int_equal(e.class, class);
		assert_int_equal(e.machine, EM_X86_64);
		assert_int_equal(e.type, ET_DYN);
		assert_string_equal(e.interpreter, "/lib64/ld-linux-x86-64.so.2");
		assert_int_equal(e.needed_count, 2);
		assert_string_equal(string_at(e.needed[0]), "libm.so.6");
		assert_string_equal(string_at(e.needed[1]), "libc.so.6");
		assert_string_equal(string_at(e.soname), "libx.so.1");
		assert_string_equal(string_at(e.rpath), "/opt/lib");
		assert_string_equal(string_at(e.runpath), "$ORIGIN/lib");
		assert_true(elf_mentions(&f, &e, there));
		assert_true(elf_mentions(&f, &e, end));
		assert_false(elf_mentions(&f, &e, not ));
	}
}

static void the_running_program_is_read(void **state)
{
	FILE *self = fopen("/proc/self/exe", "rb");
	static struct memory head;
	struct bytes f = memory_bytes(&head);

	(void)state;
	assert_non_null(self);
	head.len = fread(head.at, 1, sizeof(head.at), self);
	fclose(self);
	assert_int_equal(elf_read(&f, &e), 0);
	assert_true(elf_runs_here(&e));
	assert_string_not_equal(e.interpreter, "");
}

static void the_other_byte_order_is_named(void **state)
{
	struct recipe r = good(ELFCLASS64);

	(void)state;
	make_elf(&m, &r);
	m.at[EI_DATA] = m.at[EI_DATA] == ELFDATA2LSB ? ELFDATA2MSB : ELFDATA2LSB;
	assert_int_equal(read_all(), -ENOTSUP);
	m.at[EI_DATA] = 7;
	assert_int_equal(read_all(), -ENOEXEC);
}

static void machines_have_names(void **state)
{
	(void)state;
	assert_string_equal(elf_machine_name(EM_X86_64), "x86-64");
	assert_string_equal(elf_machine_name(EM_AARCH64), "ARM64");
	assert_string_equal(elf_machine_name(65000), "machine 65000");
	e.machine = EM_IA_64;
#if defined(__x86_64__) || defined(__aarch64__)
	assert_false(elf_runs_here(&e));
#endif
}

static void every_shorter_file_is_refused_or_says_less(void **state)
{
	struct recipe r = good(ELFCLASS64);

	(void)state;
	make_elf(&m, &r);
	for (size_t len = 0; len < ELF_AT_STRINGS + 64; len++) {
		m.len = len;
		if (read_all() == 0)
			assert_int_equal(e.needed_count, 2);
		else
			assert_in_range(len, 0, ELF_AT_DYNAMIC + 9 * sizeof(Elf64_Dyn));
	}
}

/* Every byte of what is read, at its extremes: no crash, and no string without an end. */
static void no_byte_is_believed(void **state)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};

	(void)state;
	for (size_t i = 0; i < ELF_AT_STRINGS; i++) {
		struct recipe r = good(ELFCLASS64);
		struct bytes f = memory_bytes(&m);

		make_elf(&m, &r);
		for (size_t v = 0; v < sizeof(values); v++) {
			m.at[i] = values[v];
			if (read_all() < 0)
				continue;
			assert_non_null(memchr(e.interpreter, '\0', sizeof(e.interpreter)));
			assert_in_range(e.needed_count, 0, ELF_NEEDED_MAX);
			for (uint32_t n = 0; n < e.needed_count; n++)
				if (elf_string(&f, &e, e.needed[n], text, sizeof(text)) == 0)
					assert_non_null(memchr(text, '\0', sizeof(text)));
		}
	}
}

static void offsets_beyond_the_end_are_refused(void **state)
{
	struct recipe r = good(ELFCLASS64);
	struct bytes f = memory_bytes(&m);
	Elf64_Ehdr h;

	(void)state;
	make_elf(&m, &r);
	memcpy(&h, m.at, sizeof(h));
	h.e_phoff = UINT64_MAX - 8;
	memcpy(m.at, &h, sizeof(h));
	assert_int_equal(read_all(), -ENOEXEC);

	make_elf(&m, &r);
	assert_int_equal(read_all(), 0);
	assert_int_equal(elf_string(&f, &e, e.strings_len, text, sizeof(text)), -ENOEXEC);
	assert_int_equal(elf_string(&f, &e, ELF_NO_STRING, text, sizeof(text)), -ENOEXEC);
	assert_int_equal(elf_string(&f, &e, e.needed[0], text, 4), -ENOEXEC);
}

static void a_flood_of_needs_is_cut(void **state)
{
	enum { AT = 0x800, MANY = 1000 };
	struct recipe r = good(ELFCLASS32);
	Elf32_Dyn d[MANY + 3];
	Elf32_Phdr p;

	(void)state;
	make_elf(&m, &r);
	for (size_t i = 0; i < MANY; i++)
		d[i] = (Elf32_Dyn){.d_tag = DT_NEEDED};
	d[MANY] = (Elf32_Dyn){.d_tag = DT_STRTAB, .d_un.d_val = ELF_VADDR + ELF_AT_STRINGS};
	d[MANY + 1] = (Elf32_Dyn){.d_tag = DT_STRSZ, .d_un.d_val = 16};
	d[MANY + 2] = (Elf32_Dyn){.d_tag = DT_NULL};
	memcpy(m.at + AT, d, sizeof(d));
	memcpy(&p, m.at + ELF_AT_HEADERS + sizeof(p), sizeof(p));
	p.p_offset = AT;
	p.p_filesz = sizeof(d);
	memcpy(m.at + ELF_AT_HEADERS + sizeof(p), &p, sizeof(p));
	assert_int_equal(read_all(), 0);
	assert_int_equal(e.needed_count, ELF_NEEDED_MAX);

	p.p_filesz = UINT32_MAX; /* and no end of it: the file has one */
	memcpy(m.at + ELF_AT_HEADERS + sizeof(p), &p, sizeof(p));
	d[MANY + 2] = (Elf32_Dyn){.d_tag = DT_NEEDED};
	memcpy(m.at + AT, d, sizeof(d));
	m.len = AT + sizeof(d);
	assert_int_equal(read_all(), -ENOEXEC);
}

static void a_static_program_needs_nothing(void **state)
{
	struct recipe r = good(ELFCLASS64);
	Elf64_Phdr p;

	(void)state;
	r.interpreter = NULL;
	make_elf(&m, &r);
	memcpy(&p, m.at + ELF_AT_HEADERS + sizeof(p), sizeof(p));
	p.p_type = PT_NOTE;
	memcpy(m.at + ELF_AT_HEADERS + sizeof(p), &p, sizeof(p));
	assert_int_equal(read_all(), 0);
	assert_int_equal(e.needed_count, 0);
	assert_string_equal(e.interpreter, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_classes_are_read),
		cmocka_unit_test(the_running_program_is_read),
		cmocka_unit_test(the_other_byte_order_is_named),
		cmocka_unit_test(machines_have_names),
		cmocka_unit_test(every_shorter_file_is_refused_or_says_less),
		cmocka_unit_test(no_byte_is_believed),
		cmocka_unit_test(offsets_beyond_the_end_are_refused),
		cmocka_unit_test(a_flood_of_needs_is_cut),
		cmocka_unit_test(a_static_program_needs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
