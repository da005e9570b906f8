/* Pages of thousands of pools: how long they are, and that they are pages. */
#include "tests/unit/view/pools.h"

#include <stdio.h>
#include <string.h>

#include "fcgipm/status/page.h"

enum { MANY = 5000, BYTES = 4 << 20 };

static struct pools_row rows[MANY];
static char names[MANY][16];
static uint8_t bytes[BYTES];

static void take(struct view *v, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "p%04u", i);
		rows[i] = (struct pools_row){.f = {.name = names[i],
						   .state = i == 7 ? "failed" : "ready",
						   .last_error = i == 7 ? "<b>it's \"broken\"</b>" : "",
						   .max = 4,
						   .idle = 2}};
	}
	pools_take(v, rows, count, 1000, (struct wire_wr){.at = bytes, .cap = sizeof(bytes)});
}

static unsigned times(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
		n++;
	return n;
}

static void test_5000_pools_are_pages_below_a_megabyte(void **state)
{
	struct view v = {.sort = NULL};
	struct query q;
	struct fp_doc d = {.at = NULL};

	(void)state;
	take(&v, MANY);
	query_parse(&q, "/", "page=2");
	page_list(&d, &q, &v);
	assert_false(d.failed);
	assert_true(d.len < 1 << 20);
	assert_int_equal(times(d.at, "<tr>"), PAGE_ROWS + 1);
	assert_non_null(strstr(d.at, "page 2 of 25, 5000 pools"));
	assert_non_null(strstr(d.at, ">p0200</a>"));
	assert_non_null(strstr(d.at, "1 failed"));
	fp_doc_fini(&d);
	view_fini(&v);
}

static void test_a_page_beyond_the_last_is_the_last(void **state)
{
	struct view v = {.sort = NULL};
	struct query q;
	struct fp_doc d = {.at = NULL};

	(void)state;
	take(&v, 250);
	query_parse(&q, "/", "page=4000000000");
	page_list(&d, &q, &v);
	assert_non_null(strstr(d.at, "page 2 of 2"));
	assert_int_equal(times(d.at, "<tr>"), 50 + 1);
	fp_doc_fini(&d);
	view_fini(&v);
}

static void test_no_pools(void **state)
{
	struct view v = {.sort = NULL};
	struct query q;
	struct fp_doc d = {.at = NULL};

	(void)state;
	take(&v, 0);
	query_parse(&q, "/", "page=3");
	page_list(&d, &q, &v);
	assert_non_null(strstr(d.at, "There are no pools."));
	fp_doc_fini(&d);
	view_fini(&v);
}

static void test_what_went_wrong_is_text(void **state)
{
	struct view v = {.sort = NULL};
	struct query q;
	struct fp_doc d = {.at = NULL};

	(void)state;
	take(&v, 20);
	query_parse(&q, "/", "pool=p0007");
	page_pool(&d, &q, &v.now.pools[7]);
	assert_null(strstr(d.at, "<b>"));
	assert_non_null(strstr(d.at, "&lt;b&gt;it&#39;s &quot;broken&quot;&lt;/b&gt;"));
	fp_doc_fini(&d);
	view_fini(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_5000_pools_are_pages_below_a_megabyte),
		cmocka_unit_test(test_a_page_beyond_the_last_is_the_last),
		cmocka_unit_test(test_no_pools),
		cmocka_unit_test(test_what_went_wrong_is_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
