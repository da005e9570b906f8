/* The last decisions: which are kept, what becomes one, how they read. */
#include "fcgipm/manager/decisions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct decision made(int64_t at_ms, uint32_t from, uint32_t to, const char *reason)
{
	return (struct decision){.at_ms = at_ms, .from = from, .to = to, .queued = to, .busy = from, .reason = reason};
}

static void the_last_ten_are_kept(void **state)
{
	struct decisions d = {0};

	(void)state;
	assert_null(decisions_get(&d, 0));
	for (uint32_t i = 0; i < 13; i++) {
		struct decision one = made(1000 * i, i, i + 1, "load");

		decisions_add(&d, &one);
	}
	for (unsigned i = 0; i < DECISIONS_KEPT; i++)
		assert_int_equal(decisions_get(&d, i)->from, 12 - i);
	assert_null(decisions_get(&d, DECISIONS_KEPT));
}

static void what_goes_on_is_one(void **state)
{
	const struct decision row[] = {made(1000, 1, 5, "load"), made(1100, 5, 9, "load"),  made(1200, 9, 8, "surplus"),
				       made(1300, 8, 9, "load"), made(2000, 9, 10, "load"), made(2010, 10, 11, "workers.min")};
	struct decisions d = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		decisions_add(&d, &row[i]);
	assert_int_equal(d.count, 5);
	assert_int_equal(decisions_get(&d, 4)->from, 1);
	assert_int_equal(decisions_get(&d, 4)->to, 9);
	assert_int_equal(decisions_get(&d, 4)->queued, 9);
}

static void it_reads_well(void **state)
{
	struct decision more = {.at_ms = 1000, .from = 4, .to = 16, .queued = 14, .busy = 4, .reason = "load"}, less = more, held = more;
	char text[160];

	(void)state;
	decision_text(&more, 3456, text, sizeof(text));
	assert_string_equal(text, "2.4 s ago: 12 more, 4 to 16 workers: load (14 waited, 4 were served)");
	less.to = 3;
	decision_text(&less, 1000, text, sizeof(text));
	assert_string_equal(text, "0.0 s ago: 1 less, 4 to 3 workers: load (14 waited, 4 were served)");
	held.to = 4;
	decision_text(&held, 1000, text, sizeof(text));
	assert_string_equal(text, "0.0 s ago: 4 workers: load (14 waited, 4 were served)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_ten_are_kept),
		cmocka_unit_test(what_goes_on_is_one),
		cmocka_unit_test(it_reads_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
