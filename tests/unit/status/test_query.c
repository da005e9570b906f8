/* What requests for the status page ask for, and links that ask for the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <string.h>

#include "fcgipm/status/html.h"
#include "fcgipm/status/query.h"

static struct query parsed(const char *path, const char *query_string)
{
	struct query q;

	query_parse(&q, path, query_string);
	return q;
}

static void test_resources(void **state)
{
	(void)state;
	assert_int_equal(parsed("/fcgipm", "").resource, RESOURCE_PAGE);
	assert_int_equal(parsed("", "").resource, RESOURCE_PAGE);
	assert_int_equal(parsed("/fcgipm/json", "").resource, RESOURCE_JSON);
	assert_int_equal(parsed("/fcgipm/metrics?x=/json", "x=/json").resource, RESOURCE_METRICS);
	assert_int_equal(parsed("/notjson", "").resource, RESOURCE_PAGE);
	assert_int_equal(parsed("/x", "format=json").resource, RESOURCE_JSON);
	assert_int_equal(parsed("/x/json", "format=html").resource, RESOURCE_PAGE);
	assert_int_equal(parsed("/x", "format=xml").resource, RESOURCE_UNKNOWN);
}

static void test_keys(void **state)
{
	struct query q = parsed("/", "filter=a%20b+c&sort=busy&reverse=1&trouble=1&page=3&refresh=99999&unknown=1&=&&pool=x%00y");

	(void)state;
	assert_string_equal(q.filter, "a b c");
	assert_string_equal(q.sort->key, "busy");
	assert_true(q.reverse && q.trouble);
	assert_int_equal(q.page, 3);
	assert_int_equal(q.refresh_s, REFRESH_MAX);
	assert_string_equal(q.pool, "x");
	assert_null(parsed("/", "sort=nonsense").sort);
	assert_int_equal(parsed("/", "page=0").page, 1);
	assert_int_equal(parsed("/", "page=-1").page, 1);
	assert_int_equal(parsed("/", "page=99999999999999999999").page, UINT32_MAX);
	assert_string_equal(parsed("/", "filter=%4").filter, "%4");
}

static void test_what_is_too_long_is_cut(void **state)
{
	char text[4096] = "filter=";

	(void)state;
	memset(text + 7, 'a', sizeof(text) - 8);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(strlen(parsed("/", text).filter), FILTER_MAX - 1);
}

static void link_is(const char *query_string, const char *link)
{
	struct query q = parsed("/", query_string);
	struct fp_doc d = {.at = NULL};

	query_link(&d, &q);
	assert_string_equal(d.at, link);
	fp_doc_fini(&d);
}

static void test_links(void **state)
{
	(void)state;
	link_is("", "?");
	link_is("page=1&refresh=0&reverse=0", "?");
	link_is("trouble=1&sort=queue&filter=%22%3E%3Cb%3E+%26&page=2", "?filter=%22%3E%3Cb%3E%20%26&amp;sort=queue&amp;trouble=1&amp;page=2");
	link_is("format=openmetrics&pool=a%40b", "?format=openmetrics&amp;pool=a%40b");
}

static void test_html(void **state)
{
	struct fp_doc d = {.at = NULL};

	(void)state;
	html_text(&d, "<a href=\"x\" title='y'>&\x1b[0m\xff\xe2\x80\xae\xc3\xa4");
	assert_string_equal(d.at, "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;\\x1b[0m\\xff\\xe2\\x80\\xae\xc3\xa4");
	fp_doc_fini(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resources), cmocka_unit_test(test_keys), cmocka_unit_test(test_what_is_too_long_is_cut),
		cmocka_unit_test(test_links),     cmocka_unit_test(test_html),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
