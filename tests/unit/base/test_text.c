/* Bounded and growing texts, escapes, the distance of words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/text.h"

static void test_add(void **state)
{
	char buf[8];
	struct fp_text t = FP_TEXT(buf);

	(void)state;
	fp_text_add(&t, "%d-", 12);
	fp_text_add_bytes(&t, "abcd", 4);
	assert_string_equal(buf, "12-abcd");
	assert_false(t.cut);
	fp_text_add(&t, "%s", "");
	assert_false(t.cut);
	fp_text_add(&t, "%s", "e");
	assert_true(t.cut);
	assert_string_equal(buf, "12-abcd");
	assert_int_equal(t.len, 7);
}

static void test_cut(void **state)
{
	char buf[4];
	struct fp_text t = FP_TEXT(buf), u;

	(void)state;
	fp_text_add(&t, "%s", "abcdef");
	assert_true(t.cut);
	assert_string_equal(buf, "abc");
	u = FP_TEXT(buf);
	fp_text_add_bytes(&u, "xyzzy", 5);
	assert_true(u.cut);
	assert_string_equal(buf, "xyz");
}

static const struct {
	const char *bytes;
	size_t len;
	const char *want;
} escapes[] = {
	{"", 0, ""},
	{"plain / text", 12, "plain / text"},
	{"\"\\\n\t\r", 5, "\\\"\\\\\\n\\t\\r"},
	{"a\0b", 3, "a\\u0000b"},
	{"\x1b[0m\x7f", 5, "\\u001b[0m\\u007f"},
	{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x98", 9, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x98"},
	{"\xc2\x85\xc2\x9f\xc2\xa0", 6, "\\u0085\\u009f\xc2\xa0"}, /* C1 steers terminals too */
	{"\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa", 12, "\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa"}, /* ends of lines to YAML */
	{"\xef\xbb\xbf\xef\xbf\xbd\xef\xbf\xbe\xef\xbf\xbf", 12, "\\ufeff\xef\xbf\xbd\\ufffe\\uffff"}, /* what it does not read */
	{"\x80\xff", 2, "\\u0080\\u00ff"},
	{"\xc0\xaf", 2, "\\u00c0\\u00af"}, /* overlong */
	{"\xe0\x80\xaf", 3, "\\u00e0\\u0080\\u00af"},
	{"\xed\xa0\x80", 3, "\\u00ed\\u00a0\\u0080"}, /* a surrogate */
	{"\xf4\x90\x80\x80", 4, "\\u00f4\\u0090\\u0080\\u0080"}, /* beyond U+10FFFF */
	{"\xf5\x80\x80\x80", 4, "\\u00f5\\u0080\\u0080\\u0080"},
	{"\xe2\x82", 2, "\\u00e2\\u0082"}, /* ends too early */
	{"\xf0\x9f\x90", 3, "\\u00f0\\u009f\\u0090"},
	{"\xe2\x82x", 3, "\\u00e2\\u0082x"},
};

static void test_escapes(void **state)
{
	char buf[64];

	(void)state;
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		struct fp_text t = FP_TEXT(buf);
		struct fp_doc d = {.at = NULL};
		/* Of exactly this length, so that memory checkers see a look beyond it. */
		char *exact = malloc(escapes[i].len + 1);

		assert_non_null(exact);
		memcpy(exact, escapes[i].bytes, escapes[i].len);
		exact = realloc(exact, escapes[i].len > 0 ? escapes[i].len : 1);
		buf[0] = '\0';
		fp_text_add_escaped(&t, exact, escapes[i].len);
		assert_string_equal(buf, escapes[i].want);
		assert_int_equal(t.len, strlen(escapes[i].want));
		fp_doc_add_escaped(&d, exact, escapes[i].len);
		assert_string_equal(d.at != NULL ? d.at : "", escapes[i].want);
		fp_doc_fini(&d);
		free(exact);
	}
}

static void test_never_half_an_escape(void **state)
{
	static const char whole[] = "ab\\u0001\\\"\xe2\x82\xac";
	char buf[sizeof(whole)];

	(void)state;
	for (size_t cap = 1; cap <= sizeof(whole); cap++) {
		struct fp_text t = {.at = buf, .cap = cap};

		buf[0] = '\0';
		fp_text_add_escaped(&t, "ab\1\"\xe2\x82\xac", 7);
		assert_int_equal(t.cut, cap < sizeof(whole));
		assert_memory_equal(buf, whole, t.len);
		assert_int_equal(buf[t.len], '\0');
		assert_true(t.len == 0 || t.len == 1 || t.len == 2 || t.len == 8 || t.len == 10 || t.len == 13);
		assert_true(t.len < cap);
	}
}

static void test_doc_grows(void **state)
{
	struct fp_doc d = {.at = NULL};
	char want[16];

	(void)state;
	for (int i = 0; i < 10000; i++)
		fp_doc_add(&d, "%05d,", i);
	assert_false(d.failed);
	assert_int_equal(d.len, 60000);
	assert_int_equal(strlen(d.at), 60000);
	for (int i = 0; i < 10000; i += 77) {
		snprintf(want, sizeof(want), "%05d,", i);
		assert_memory_equal(d.at + (ptrdiff_t)i * 6, want, 6);
	}
	fp_doc_fini(&d);
	assert_null(d.at);
	assert_int_equal(d.len, 0);
}

static void test_doc_failure_is_kept(void **state)
{
	struct fp_doc d = {.failed = true};

	(void)state;
	fp_doc_add(&d, "x");
	fp_doc_add_escaped(&d, "x", 1);
	assert_null(d.at);
	assert_true(d.failed);
}

static void test_distance(void **state)
{
	char a[80], b[80];

	(void)state;
	assert_int_equal(fp_text_distance("", ""), 0);
	assert_int_equal(fp_text_distance("", "abc"), 3);
	assert_int_equal(fp_text_distance("abc", ""), 3);
	assert_int_equal(fp_text_distance("max", "max"), 0);
	assert_int_equal(fp_text_distance("max_worker", "max"), 7);
	assert_int_equal(fp_text_distance("limt", "limit"), 1);
	assert_int_equal(fp_text_distance("lmiit", "limit"), 1); /* a swap of neighbours is one slip */
	assert_int_equal(fp_text_distance("kitten", "sitting"), 3);
	assert_int_equal(fp_text_distance("ca", "abc"), 3);
	memset(a, 'a', 79);
	memset(b, 'a', 79);
	a[79] = b[79] = '\0';
	b[70] = 'b'; /* beyond what is looked at */
	assert_int_equal(fp_text_distance(a, b), 0);
	assert_int_equal(fp_text_distance(a, ""), 64);
}

static void test_wash(void **state)
{
	char text[] = "a\tb\x7f"
		      "c\x1b[m\nd \xc3\xa9 \xe2\x82\xac \xd1"
		      "2 \xc2\x9b"
		      "31m \xe2\x80\xa8",
	     none[] = "";

	(void)state;
	fp_text_wash(text, "\n");
	assert_string_equal(text, "a?b?c?[m\nd \xc3\xa9 \xe2\x82\xac ?2 ??31m ???");
	fp_text_wash(text, "");
	assert_non_null(strstr(text, "[m?d"));
	fp_text_wash(none, "");
	assert_string_equal(none, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),       cmocka_unit_test(test_cut),
		cmocka_unit_test(test_escapes),   cmocka_unit_test(test_never_half_an_escape),
		cmocka_unit_test(test_doc_grows), cmocka_unit_test(test_doc_failure_is_kept),
		cmocka_unit_test(test_distance),  cmocka_unit_test(test_wash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
