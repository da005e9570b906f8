/* Lines of an httpd configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/import/httpd.h"

static struct keep keep;
static struct httpd_file file;

static struct httpd_line first(const char *bytes, size_t len)
{
	file = (struct httpd_file){.at = bytes, .end = bytes + len, .next = 1};
	return httpd_read(&file);
}

static struct httpd_line first_of(const char *text)
{
	return first(text, strlen(text));
}

static void expect(enum httpd_kind kind, const char *name, const char *rest, struct httpd_line l)
{
	assert_int_equal(l.kind, kind);
	assert_string_equal(l.name, name);
	assert_string_equal(l.rest, rest);
}

static void test_lines(void **state)
{
	(void)state;
	expect(HTTPD_DIRECTIVE, "FcgidIdleTimeout", "60", first_of("  FcgidIdleTimeout\t60  \r\n"));
	expect(HTTPD_DIRECTIVE, "A", "", first_of("A"));
	expect(HTTPD_OPEN, "VirtualHost", "*:80", first_of("<VirtualHost *:80>\n"));
	expect(HTTPD_OPEN, "Files", "\"a>b\"", first_of("<Files \"a>b\" >"));
	expect(HTTPD_CLOSE, "VirtualHost", "", first_of("</VirtualHost>"));
	assert_int_equal(first_of("# A b").kind, HTTPD_NOTHING);
	assert_int_equal(first_of("\n").kind, HTTPD_NOTHING);
	assert_int_equal(first_of("").kind, HTTPD_END);
	assert_int_equal(first_of("<VirtualHost").kind, HTTPD_WRONG);
	assert_int_equal(first_of("<").kind, HTTPD_WRONG);
	assert_int_equal(first_of("</").kind, HTTPD_WRONG);
}

static void test_lines_are_joined_and_counted(void **state)
{
	(void)state;
	expect(HTTPD_DIRECTIVE, "A", "b c", first_of("A b\\\n c\nD e"));
	expect(HTTPD_DIRECTIVE, "D", "e", httpd_read(&file));
	assert_int_equal(httpd_read(&file).kind, HTTPD_END);
	first_of("A b\\\n c\nD e");
	assert_int_equal(httpd_read(&file).line, 3);
	/* A backslash in the last line. */
	expect(HTTPD_DIRECTIVE, "A", "b", first_of("A b\\"));
}

static void test_hostile_lines(void **state)
{
	size_t len = HTTPD_LINE_MAX + 10;
	char *much = malloc(len);

	(void)state;
	assert_int_equal(first("A b\0c\nD e", 9).kind, HTTPD_WRONG);
	expect(HTTPD_DIRECTIVE, "D", "e", httpd_read(&file));
	assert_non_null(much);
	memset(much, 'x', len);
	memcpy(much + len - 4, "\nD e", 4);
	assert_int_equal(first(much, len).kind, HTTPD_WRONG);
	expect(HTTPD_DIRECTIVE, "D", "e", httpd_read(&file));
	assert_int_equal(first(much, HTTPD_LINE_MAX).kind, HTTPD_DIRECTIVE);
	free(much);
}

static void test_words(void **state)
{
	const char *w[3];

	(void)state;
	assert_int_equal(httpd_words(&keep, " a \"b c\" 'd \"e' ", w, 3), 3);
	assert_string_equal(w[1], "b c");
	assert_string_equal(w[2], "d \"e");
	assert_int_equal(httpd_words(&keep, "\"a \\\"b\\\\\"", w, 3), 1);
	assert_string_equal(w[0], "a \"b\\");
	assert_int_equal(httpd_words(&keep, "", w, 3), 0);
	assert_int_equal(httpd_words(&keep, "\"\"", w, 3), 1);
	assert_string_equal(w[0], "");
	assert_int_equal(httpd_words(&keep, "a b c d", w, 3), -1);
	assert_int_equal(httpd_words(&keep, "\"a b", w, 3), -1);
	assert_int_equal(httpd_words(&keep, "'a\\", w, 3), -1);
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
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_lines_are_joined_and_counted),
		cmocka_unit_test(test_hostile_lines),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
