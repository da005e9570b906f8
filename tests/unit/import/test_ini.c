/* Lines of php-fpm's configuration, as PHP reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "fcgipm/import/ini.h"

static struct keep keep;

static struct ini_line read_text(const char *text)
{
	return ini_read(&keep, text, strlen(text));
}

static void test_values(void **state)
{
	static const struct {
		const char *line, *value;
	} cases[] = {
		{"pm = dynamic", "dynamic"},
		{"  pm=dynamic  ; why", "dynamic"},
		{"a = 10s;", "10s"},
		{"a =", ""},
		{"a = on", "1"},
		{"a = Yes", "1"},
		{"a = none", ""},
		{"a = off ; no", ""},
		{"a = \"on\"", "on"},
		{"a = \"x;y\" ; z", "x;y"},
		{"a = \"say \\\"hi\\\" \\n\"", "say \"hi\" \\n"},
		{"a = 'raw \\\" $x'", "raw \\\" $x"},
		{"a = one two", "one two"},
		{"a = /x/\"y z\"", "/x/y z"},
		{"a = b=c", "b=c"},
		{"a = x\r", "x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ini_line l = read_text(cases[i].line);

		assert_int_equal(l.kind, INI_ENTRY);
		assert_string_equal(l.value, cases[i].value);
		assert_false(l.computed || l.asks_environment);
	}
}

static void test_names(void **state)
{
	struct ini_line l = read_text("php_admin_value[ memory_limit ] = 32M");

	(void)state;
	assert_string_equal(l.name, "php_admin_value");
	assert_string_equal(l.index, "memory_limit");
	assert_string_equal(read_text("access.suppress_path[] = /ping").index, "");
	assert_null(read_text("pm.max_children = 5").index);
	assert_string_equal(read_text("pm.max_children = 5").name, "pm.max_children");
}

static void test_sections(void **state)
{
	(void)state;
	assert_int_equal(read_text("[www]").kind, INI_SECTION);
	assert_string_equal(read_text(" [ my pool ] ; x").name, "my pool");
	assert_int_equal(read_text("; [www]").kind, INI_NOTHING);
	assert_int_equal(read_text("").kind, INI_NOTHING);
	assert_int_equal(read_text(" \t\r").kind, INI_NOTHING);
}

static void test_expressions(void **state)
{
	struct ini_line l = read_text("php_value[error_reporting] = E_ALL & ~E_NOTICE ; all");

	(void)state;
	assert_true(l.computed);
	assert_string_equal(l.raw, "E_ALL & ~E_NOTICE");
	assert_false(read_text("a = \"x & y\"").computed);
	assert_true(read_text("a = ${HOME}").asks_environment);
	assert_true(read_text("a = \"x ${HOME}\"").asks_environment);
	assert_false(read_text("a = '${HOME}'").asks_environment);
	assert_false(read_text("a = $HOSTNAME").asks_environment);
}

static void test_what_is_wrong(void **state)
{
	static const char *const lines[] = {"[www", "[]", "pm", "= 3", "a = \"x", "a = 'x", "a[b = c", "# comment", "a = \"x\\\""};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct ini_line l = read_text(lines[i]);

		assert_int_equal(l.kind, INI_WRONG);
		assert_true(strlen(l.name) > 0);
	}
	assert_int_equal(ini_read(&keep, "a = b\0c", 7).kind, INI_WRONG);
}

static int end(void **state)
{
	(void)state;
	keep_fini(&keep);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),      cmocka_unit_test(test_names),         cmocka_unit_test(test_sections),
		cmocka_unit_test(test_expressions), cmocka_unit_test(test_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
