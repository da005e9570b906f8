/* No byte that steers a terminal comes through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <locale.h>
#include <string.h>

#include "fcgipm/client/term.h"

static void check(const char *text, bool lines, const char *want)
{
	struct fp_doc d = {.at = NULL};

	term_add(&d, text, lines);
	assert_string_equal(d.at != NULL ? d.at : "", want);
	fp_doc_fini(&d);
}

static void test_escapes(void **state)
{
	(void)state;
	check("", false, "");
	check("plain \"text\" \\", false, "plain \"text\" \\");
	check("a\x1b[31mb", true, "a\\x1b[31mb");
	check("a\nb\tc", true, "a\nb\tc");
	check("a\nb\tc\r", false, "a\\x0ab\\x09c\\x0d");
	check("\x7f", true, "\\x7f");
	check("\xc2\x9b"
	      "31m",
	      true, "\\xc2\\x9b31m"); /* CSI as one character */
	check("\xe2\x80\xae"
	      "txt",
	      true, "\\xe2\\x80\\xaetxt"); /* right to left */
	check("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", true, "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80");
}

static void test_not_utf8(void **state)
{
	(void)state;
	check("\xff\xfe", true, "\\xff\\xfe");
	check("\xc3", true, "\\xc3"); /* cut */
	check("\xc0\x8a", true, "\\xc0\\x8a"); /* a newline in too many bytes */
	check("\xed\xa0\x80", true, "\\xed\\xa0\\x80"); /* half a surrogate */
	check("\xf4\x90\x80\x80", true, "\\xf4\\x90\\x80\\x80");
	check("\x9b", true, "\\x9b");
	check("a\xe2\x82z", true, "a\\xe2\\x82z");
}

static void fit(const char *text, size_t columns, size_t tail, const char *want)
{
	struct fp_doc d = {.at = NULL};

	term_fit(&d, text, columns, tail);
	assert_string_equal(d.at != NULL ? d.at : "", want);
	assert_true(term_columns(want) <= columns);
	fp_doc_fini(&d);
}

static void test_fits_columns(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	assert_int_equal(term_columns(""), 0);
	assert_int_equal(term_columns("gr\xc3\xbc\xc3\x9f"), 4);
	assert_int_equal(term_columns("\xe6\xbc\xa2x"), 3); /* a wide one */
	assert_int_equal(term_columns("e\xcc\x81"), 1); /* an accent of its own */
	fit("blog", 4, 2, "blog");
	fit("www.customer.example", 9, 4, "www.~mple");
	fit("www.customer.example", 9, 0, "www.cust~");
	fit("www.customer.example", 1, 9, "~");
	fit("www", 0, 0, "");
	fit("gr\xc3\xbc\xc3\x9f dich", 6, 0, "gr\xc3\xbc\xc3\x9f ~");
	fit("\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2", 5, 1, "\xe6\xbc\xa2~"); /* half of one is none */
	fit("ab\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2", 6, 2, "ab~\xe6\xbc\xa2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_escapes), cmocka_unit_test(test_not_utf8), cmocka_unit_test(test_fits_columns)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
