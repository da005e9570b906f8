/* Going through many pools: moving, scrolling, staying with what is selected while everything else moves, typing a filter. */
#include "tests/unit/view/pools.h"

#include <stdio.h>
#include <string.h>

#include "fcgipm/view/browse.h"

enum { MANY = 5000, PAGE = 20 };

static uint8_t first[2 << 20], second[2 << 20];
static char names[MANY][16];

/* busy: of which pool it is most. */
static void take(struct browse *b, uint32_t count, uint32_t busiest, int64_t at_ms)
{
	static struct pools_row rows[MANY];
	struct wire_wr bytes = {.at = at_ms % 2 == 0 ? first : second, .cap = sizeof(first)};
	struct view *v = &b->view;
	struct snapshot s;

	for (uint32_t i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "p%04u", i);
		rows[i] = (struct pools_row){.f = {.name = names[i], .state = i == busiest ? "failed" : "ready", .busy = i == busiest ? 9 : 0}};
	}
	pools_encode(&bytes, rows, count);
	assert_int_equal(snapshot_decode(bytes.at, bytes.len, &s, NULL), 0);
	assert_int_equal(browse_take(b, &s, at_ms), 0);
	browse_fit(b, PAGE, v->count);
}

static void press(struct browse *b, enum browse_command command)
{
	browse_do(b, command);
	browse_fit(b, PAGE, b->view.count);
}

static void at(const struct browse *b, size_t selected, size_t top)
{
	assert_int_equal(b->selected, selected);
	assert_int_equal(b->first, top);
	assert_string_equal(b->name, b->view.rows[selected].pool->figures.name);
}

static void test_moves_through_5000(void **state)
{
	struct browse b = {.mode = BROWSE_LIST};

	(void)state;
	take(&b, MANY, 7, 1000);
	press(&b, BROWSE_UP);
	at(&b, 0, 0);
	press(&b, BROWSE_DOWN);
	at(&b, 1, 0);
	press(&b, BROWSE_PAGE_DOWN);
	at(&b, 20, 1);
	press(&b, BROWSE_LAST);
	at(&b, MANY - 1, MANY - PAGE);
	press(&b, BROWSE_DOWN);
	press(&b, BROWSE_PAGE_DOWN);
	at(&b, MANY - 1, MANY - PAGE);
	press(&b, BROWSE_PAGE_UP);
	at(&b, MANY - 20, MANY - PAGE);
	press(&b, BROWSE_UP);
	at(&b, MANY - 21, MANY - 21);
	browse_fit(&b, 4, MANY); /* the terminal is smaller now */
	at(&b, MANY - 21, MANY - 21);
	browse_fit(&b, 0, MANY);
	browse_fit(&b, MANY + 10, MANY); /* and larger than the list */
	at(&b, MANY - 21, 0);
	press(&b, BROWSE_FIRST);
	at(&b, 0, 0);
	view_fini(&b.view);
}

static void test_stays_with_the_selected(void **state)
{
	struct browse b = {.mode = BROWSE_LIST};

	(void)state;
	take(&b, 100, 50, 1000);
	browse_sort(&b, column_by_key("busy"));
	at(&b, 0, 0);
	assert_string_equal(b.name, "p0050");
	take(&b, 100, 60, 2001); /* at the top one sees who is at the top */
	assert_string_equal(b.name, "p0060");
	press(&b, BROWSE_DOWN);
	press(&b, BROWSE_DOWN);
	assert_string_equal(b.name, "p0001");
	take(&b, 100, 1, 3000); /* below it one has chosen */
	at(&b, 0, 0);
	press(&b, BROWSE_LAST);
	take(&b, 40, 0, 4001); /* it is gone */
	at(&b, 39, 20);
	take(&b, 0, 0, 5000);
	assert_int_equal(b.selected, 0);
	press(&b, BROWSE_OPEN);
	assert_int_equal(b.mode, BROWSE_LIST);
	view_fini(&b.view);
}

static void test_sorts_by_keys(void **state)
{
	struct browse b = {.mode = BROWSE_LIST};

	(void)state;
	take(&b, 10, 5, 1000);
	browse_sort(&b, column_by_key("busy"));
	browse_sort(&b, column_by_key("busy"));
	assert_true(b.view.reverse);
	browse_sort(&b, column_by_key("idle"));
	assert_false(b.view.reverse);
	press(&b, BROWSE_REVERSE);
	assert_true(b.view.reverse);
	b.view.sort = NULL;
	press(&b, BROWSE_SORT_LEFT);
	assert_ptr_equal(b.view.sort, &columns[column_count - 1]);
	press(&b, BROWSE_SORT_RIGHT);
	assert_ptr_equal(b.view.sort, &columns[0]);
	for (size_t i = 0; i < column_count; i++, press(&b, BROWSE_SORT_RIGHT))
		assert_false(b.view.sort->live); /* it is not on the screen before the second snapshot */
	take(&b, 10, 5, 2001);
	b.view.sort = column_by_key("queue");
	press(&b, BROWSE_SORT_RIGHT);
	assert_string_equal(b.view.sort->key, "rate");
	view_fini(&b.view);
}

static void type(struct browse *b, const char *text)
{
	browse_do(b, BROWSE_FILTER);
	for (; *text != '\0'; text++)
		browse_type(b, *text);
}

static void test_filter(void **state)
{
	struct browse b = {.mode = BROWSE_DETAIL};

	(void)state;
	take(&b, 100, 50, 1000);
	type(&b, "p007");
	assert_true(b.typing && b.mode == BROWSE_LIST);
	assert_int_equal(b.view.count, 10); /* with every key */
	browse_type(&b, '3');
	assert_int_equal(b.view.count, 1);
	browse_erase(&b);
	browse_enter(&b, true);
	assert_int_equal(b.view.count, 10);
	b.mode = BROWSE_LIST;
	press(&b, BROWSE_LAST);
	type(&b, "5"); /* the selected one is not among them */
	at(&b, 0, 0);
	assert_string_equal(b.name, "p0075");
	browse_enter(&b, false);
	type(&b, "zzz");
	assert_int_equal(b.view.count, 0);
	press(&b, BROWSE_DOWN);
	browse_enter(&b, false); /* as before it began */
	assert_int_equal(b.view.count, 10);
	assert_string_equal(b.view.filter, "p007");
	press(&b, BROWSE_BACK);
	assert_int_equal(b.view.count, 100);
	press(&b, BROWSE_TROUBLE);
	assert_int_equal(b.view.count, 1);
	press(&b, BROWSE_TROUBLE);
	browse_erase(&b);
	for (int i = 0; i < 2 * FILTER_MAX; i++)
		browse_type(&b, 'x');
	assert_int_equal(strlen(b.view.filter), FILTER_MAX - 1);
	view_fini(&b.view);
}

static void test_detail(void **state)
{
	struct browse b = {.mode = BROWSE_LIST};

	(void)state;
	take(&b, 100, 50, 1000);
	press(&b, BROWSE_DOWN);
	browse_do(&b, BROWSE_OPEN);
	browse_fit(&b, PAGE, 50);
	assert_int_equal(b.mode, BROWSE_DETAIL);
	assert_string_equal(browse_pool(&b)->figures.name, "p0001");
	browse_do(&b, BROWSE_LAST);
	assert_int_equal(b.line, 30);
	browse_do(&b, BROWSE_PAGE_UP);
	assert_int_equal(b.line, 11);
	browse_fit(&b, PAGE, 5); /* it has become shorter */
	assert_int_equal(b.line, 0);
	browse_do(&b, BROWSE_DOWN);
	assert_int_equal(b.line, 0);
	take(&b, 1, 0, 2001);
	assert_int_equal(b.mode, BROWSE_DETAIL);
	assert_null(browse_pool(&b)); /* it does not become another pool's */
	press(&b, BROWSE_SHOW_HELP);
	assert_int_equal(b.mode, BROWSE_HELP);
	press(&b, BROWSE_SHOW_HELP);
	assert_int_equal(b.mode, BROWSE_LIST);
	view_fini(&b.view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moves_through_5000),
		cmocka_unit_test(test_stays_with_the_selected),
		cmocka_unit_test(test_sorts_by_keys),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_detail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
