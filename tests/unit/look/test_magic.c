/* What the first bytes of a file say. */
#include "fcgipm/look/magic.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/look/memory.h"

static struct magic magic;

static int look(const char *bytes, size_t len)
{
	static struct memory m;
	struct bytes f = memory_bytes(&m);

	m.len = len;
	memcpy(m.at, bytes, len);
	return magic_look(&f, &magic);
}

static void lines_of_scripts(void **state)
{
	static const struct {
		const char *line, *interpreter, *argument;
	} rows[] = {
		{"#!/usr/bin/perl\n", "/usr/bin/perl", ""},
		{"#!/usr/bin/perl", "/usr/bin/perl", ""},
		{"#! /usr/bin/perl -w\nuse strict;\n", "/usr/bin/perl", "-w"},
		{"#! \t/usr/bin/env   -S perl -w  \t\n", "/usr/bin/env", "-S perl -w"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(look(rows[i].line, strlen(rows[i].line)), 0);
		assert_int_equal(magic.kind, MAGIC_SCRIPT);
		assert_string_equal(magic.interpreter, rows[i].interpreter);
		assert_string_equal(magic.argument, rows[i].argument);
	}
}

static void broken_lines(void **state)
{
	char line[MAGIC_LINE_MAX + 64];

	(void)state;
	assert_int_equal(look("#!", 2), -ENOEXEC);
	assert_int_equal(look("#! \t \n/bin/sh", 13), -ENOEXEC);
	assert_int_equal(look("#!\0/bin/sh\n", 11), -ENOEXEC);
	/* A path that the kernel would cut is refused by it; an argument that it would cut is not. */
	memset(line, 'x', sizeof(line));
	memcpy(line, "#!/", 3);
	assert_int_equal(look(line, sizeof(line)), -ENOEXEC);
	memcpy(line, "#!/bin/sh ", 10);
	assert_int_equal(look(line, sizeof(line)), 0);
	assert_string_equal(magic.interpreter, "/bin/sh");
	assert_int_equal(strlen(magic.argument), MAGIC_LINE_MAX - 10);
}

static void other_files(void **state)
{
	(void)state;
	assert_int_equal(look("", 0), 0);
	assert_int_equal(magic.kind, MAGIC_OTHER);
	assert_int_equal(look("#", 1), 0);
	assert_int_equal(magic.kind, MAGIC_OTHER);
	assert_int_equal(look("print 1\n", 8), 0);
	assert_int_equal(magic.kind, MAGIC_OTHER);
	assert_int_equal(look("\177ELF", 4), 0);
	assert_int_equal(magic.kind, MAGIC_ELF);
}

static ssize_t fails(void *ctx, void *buf, size_t len, off_t offset)
{
	(void)ctx, (void)buf, (void)len, (void)offset;
	return -EIO;
}

static void a_failed_read_is_told(void **state)
{
	struct bytes f = {fails, NULL};

	(void)state;
	assert_int_equal(magic_look(&f, &magic), -EIO);
}

static void what_env_runs(void **state)
{
	static const struct {
		const char *argument, *program;
	} rows[] = {
		{"perl", "perl"},
		{"perl -w", "perl -w"},
		{"-S perl -w", "perl"},
		{"-vS A=b C= ruby x.rb", "ruby"},
		{"-S - /opt/bin/x", "/opt/bin/x"},
		{"-S -i PATH=/x sh", "sh"},
		{"", NULL},
		{"-i", NULL},
		{"-S", NULL},
		{"-S -u HOME sh", NULL},
	};
	char program[32];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int r = magic_env_program(rows[i].argument, program, sizeof(program));

		assert_int_equal(r, rows[i].program != NULL ? 0 : -ENOENT);
		if (r == 0)
			assert_string_equal(program, rows[i].program);
	}
	assert_int_equal(magic_env_program("an-extraordinarily-long-name-of-a-program", program, sizeof(program)), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_scripts),      cmocka_unit_test(broken_lines),  cmocka_unit_test(other_files),
		cmocka_unit_test(a_failed_read_is_told), cmocka_unit_test(what_env_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
