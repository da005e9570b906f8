/* Which pools are shown, in which order, and what two snapshots tell. */
#include "tests/unit/view/pools.h"

#include <stdio.h>
#include <string.h>

static uint8_t first[65536], second[65536];
#define BYTES(a) ((struct wire_wr){.at = (a), .cap = sizeof(a)})

static const struct pools_row some[] = {
	{.f = {.name = "asleep", .state = "sleeping", .memory_bytes = 0, .queue_depth = 0}},
	{.f = {.name = "blog", .state = "ready", .busy = 7, .memory_bytes = 900, .queue_depth = 3}, .alarm = "slow_boot"},
	{.f = {.name = "broken", .state = "failed", .last_error = "no", .busy = 0, .memory_bytes = WIRE_UNKNOWN, .queue_depth = WIRE_UNKNOWN}},
	{.f = {.name = "failed-shop", .state = "ready", .busy = 2, .memory_bytes = 100, .queue_depth = 0}},
	{.f = {.name = "news", .state = "novel", .busy = 2, .memory_bytes = 100, .queue_depth = 4}},
};
enum { SOME = sizeof(some) / sizeof(some[0]) };

static void expect(const struct view *v, const char *names)
{
	char got[4096] = "";

	for (uint32_t i = 0; i < v->count; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i > 0 ? " " : "", v->rows[i].pool->figures.name);
	assert_string_equal(got, names);
}

static void sorted(struct view *v, const char *key, bool reverse, const char *names)
{
	v->sort = column_by_key(key);
	assert_non_null(v->sort);
	v->reverse = reverse;
	view_arrange(v);
	expect(v, names);
}

static void test_sorts(void **state)
{
	struct view v = {.sort = NULL};

	(void)state;
	pools_take(&v, some, SOME, 1000, BYTES(first));
	expect(&v, "asleep blog broken failed-shop news");
	sorted(&v, "pool", true, "news failed-shop broken blog asleep");
	sorted(&v, "busy", false, "blog failed-shop news asleep broken");
	sorted(&v, "busy", true, "broken asleep news failed-shop blog");
	sorted(&v, "memory", false, "blog failed-shop news asleep broken"); /* unknown is the least */
	sorted(&v, "queue", false, "news blog asleep failed-shop broken");
	sorted(&v, "state", false, "broken blog failed-shop asleep news");
	view_fini(&v);
}

static void filtered(struct view *v, const char *filter, bool trouble, const char *names)
{
	snprintf(v->filter, sizeof(v->filter), "%s", filter);
	v->trouble = trouble;
	view_arrange(v);
	expect(v, names);
}

static void test_filters(void **state)
{
	struct view v = {.sort = NULL};

	(void)state;
	pools_take(&v, some, SOME, 1000, BYTES(first));
	filtered(&v, "b", false, "blog broken");
	filtered(&v, "failed", false, "broken failed-shop"); /* a state, a part of a name */
	filtered(&v, "fail", false, "failed-shop"); /* half a state is none */
	filtered(&v, "  failed   shop ", false, "failed-shop");
	filtered(&v, "ready blog", false, "blog");
	filtered(&v, "", true, "blog broken");
	filtered(&v, "failed", true, "broken");
	filtered(&v, "nothing like it", false, "");
	filtered(&v, "   ", false, "asleep blog broken failed-shop news");
	view_fini(&v);
}

static void test_rates(void **state)
{
	const struct pools_row before[] = {{.f = {.name = "a", .served = 100}},
					   {.f = {.name = "b", .served = 100}},
					   {.f = {.name = "d", .served = WIRE_UNKNOWN}},
					   {.f = {.name = "e", .served = 0}}};
	const struct pools_row after[] = {{.f = {.name = "a", .served = 125}},
					  {.f = {.name = "b", .served = 99}},
					  {.f = {.name = "c", .served = 5}},
					  {.f = {.name = "d", .served = 7}},
					  {.f = {.name = "e", .served = INT64_MAX}}};
	const int64_t want[] = {12500, WIRE_UNKNOWN, WIRE_UNKNOWN, WIRE_UNKNOWN, INT64_MAX};
	struct view v = {.sort = NULL};

	(void)state;
	pools_take(&v, before, 4, 1000, BYTES(first));
	assert_false(v.live);
	assert_true(v.rows[0].rate == WIRE_UNKNOWN && view_totals(&v).rate == WIRE_UNKNOWN);
	pools_take(&v, after, 5, 3000, BYTES(second));
	assert_true(v.live);
	for (uint32_t i = 0; i < 5; i++)
		assert_true(v.rows[i].rate == want[i]);
	pools_take(&v, after, 4, 3000, BYTES(first));
	assert_true(v.rows[0].rate == WIRE_UNKNOWN); /* no time has passed */
	view_fini(&v);
}

static void test_totals(void **state)
{
	struct view v = {.filter = "blog"};
	struct view_totals t;

	(void)state;
	pools_take(&v, some, SOME, 1000, BYTES(first));
	t = view_totals(&v); /* of all, whatever is shown */
	assert_int_equal(t.in_state[state_index("failed")], 1);
	assert_int_equal(t.in_state[state_index("ready")], 2);
	assert_int_equal(t.in_state[STATE_COUNT], 1);
	assert_int_equal(t.memory_bytes, 1100);
	assert_int_equal(t.queued, 7);
	view_fini(&v);
	pools_take(&v, NULL, 0, 1000, BYTES(first));
	t = view_totals(&v);
	assert_true(t.memory_bytes == WIRE_UNKNOWN);
	view_fini(&v);
}

/* Keys and letters pick one column each. */
static void test_columns(void **state)
{
	(void)state;
	for (size_t i = 0; i < column_count; i++) {
		assert_ptr_equal(column_by_key(columns[i].key), &columns[i]);
		assert_ptr_equal(column_by_letter(columns[i].letter), &columns[i]);
		assert_in_range(columns[i].letter, 'A', 'Z');
		assert_true(strlen(columns[i].heading) <= columns[i].width);
	}
	assert_null(column_by_key("colour"));
	assert_null(column_by_letter('\0'));
}

static void cell_is(const struct view_row *row, const char *key, const char *want)
{
	char buf[CELL_MAX];
	const struct column *c = column_by_key(key);

	c->cell(c, row, buf);
	assert_string_equal(buf, want);
}

static void test_cells(void **state)
{
	const struct pools_row pools[] = {
		{.f = {.name = "a\x1b[2J",
		       .state = "at_max\r",
		       .queue_depth = 3,
		       .queue_limit = 511,
		       .restarts_exit = 1,
		       .restarts_replaced = 2,
		       .memory_bytes = 8388608,
		       .served = 1200000}},
		{.f = {.name = "b",
		       .queue_depth = WIRE_UNKNOWN,
		       .queue_limit = 5,
		       .restarts_boot = WIRE_UNKNOWN,
		       .memory_bytes = WIRE_UNKNOWN,
		       .idle = WIRE_UNKNOWN}},
	};
	struct view v = {.sort = NULL};

	(void)state;
	pools_take(&v, pools, 2, 1000, BYTES(first));
	cell_is(&v.rows[0], "pool", "a\\x1b[2J");
	cell_is(&v.rows[0], "state", "at_max\\x0d");
	cell_is(&v.rows[0], "queue", "3/511");
	cell_is(&v.rows[0], "restarts", "3");
	cell_is(&v.rows[0], "memory", "8.0M");
	cell_is(&v.rows[0], "served", "1.2M");
	cell_is(&v.rows[0], "rate", "-");
	cell_is(&v.rows[1], "queue", "-/5");
	cell_is(&v.rows[1], "restarts", "-");
	cell_is(&v.rows[1], "memory", "-");
	cell_is(&v.rows[1], "idle", "-");
	view_fini(&v);
}

static void test_remarks(void **state)
{
	const struct pools_row pools[] = {
		{.f = {.name = "a", .state = "failed", .last_error = "no\x1b[31m"}, .alarm = "held", .note = "3 crashes"},
		{.f = {.name = "b", .state = "ready", .last_error = "long ago"}},
	};
	struct view v = {.sort = NULL};
	char buf[CELL_MAX];

	(void)state;
	pools_take(&v, pools, 2, 1000, BYTES(first));
	row_remark(&v.rows[0], buf);
	assert_string_equal(buf, "held; no\\x1b[31m; 3 crashes");
	row_remark(&v.rows[1], buf);
	assert_string_equal(buf, "");
	view_fini(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorts),   cmocka_unit_test(test_filters), cmocka_unit_test(test_rates),   cmocka_unit_test(test_totals),
		cmocka_unit_test(test_columns), cmocka_unit_test(test_cells),   cmocka_unit_test(test_remarks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
