/* The table, byte by byte: for a pipe, for terminals wide and narrow, for a screen of few lines. */
#include "tests/unit/view/pools.h"

#include <stdio.h>
#include <string.h>

#include "fcgipm/client/term.h"
#include "fcgipm/view/layout.h"
#include "fcgipm/view/table.h"

static uint8_t bytes[65536];

static const struct pools_row some[] = {
	{.f = {.name = "bad",
	       .state = "failed",
	       .queue_depth = WIRE_UNKNOWN,
	       .queue_limit = 5,
	       .max = 1,
	       .memory_bytes = WIRE_UNKNOWN,
	       .last_error = "\x1b[31mno"},
	 .note = "3 crashes in a row"},
	{.f = {.name = "blog",
	       .state = "ready",
	       .idle = 1,
	       .busy = 2,
	       .max = 16,
	       .queue_depth = 3,
	       .queue_limit = 511,
	       .served = 1234567,
	       .restarts_exit = 21,
	       .memory_bytes = 8388608}},
	{.f = {.name = "site@www.customer-0001.example",
	       .state = "at_max",
	       .busy = 4,
	       .max = 4,
	       .queue_limit = 511,
	       .served = WIRE_UNKNOWN,
	       .memory_bytes = 123 << 20},
	 .alarm = "at_max"},
};

static char *rendered(struct table_style style)
{
	struct view v = {.sort = NULL};
	struct fp_doc d = {.at = NULL};

	pools_take(&v, some, 3, 1000, (struct wire_wr){.at = bytes, .cap = sizeof(bytes)});
	table_render(&d, &v, &style);
	assert_false(d.failed);
	view_fini(&v);
	return d.at;
}

static void expect(struct table_style style, const char *want)
{
	char *got = rendered(style);

	assert_string_equal(got, want);
	free(got);
}

#define HEAD                                                                                                                                                   \
	"fcgipm 0.1.0, up 1m 0s, launcher 11, manager 12, configuration 0, 0 of 512 workers\n"                                                                 \
	"3 pools: 1 failed, 1 at_max, 1 ready; 3 waiting, 131M of memory\n"
#define REMARKS                                                                                                                                                \
	"bad: \\x1b[31mno; 3 crashes in a row\n"                                                                                                               \
	"site@www.customer-0001.example: at_max\n"

static void test_whole(void **state)
{
	(void)state;
	expect((struct table_style){.width = 0},
	       HEAD "POOL                            STATE     IDLE  BUSY  BOOT  MAX    QUEUE  SERVED  RESTARTS  MEMORY\n"
		    "bad                             failed       0     0     0    1      -/5       0         0       -\n"
		    "blog                            ready        1     2     0   16    3/511    1.2M        21    8.0M\n"
		    "site@www.customer-0001.example  at_max       0     4     0    4    0/511       -         0    123M\n" REMARKS);
}

static void test_80_columns(void **state)
{
	(void)state;
	expect((struct table_style){.width = 80}, HEAD "POOL              STATE     IDLE  BUSY  BOOT  MAX    QUEUE  RESTARTS  MEMORY\n"
						       "bad               failed       0     0     0    1      -/5         0       -\n"
						       "blog              ready        1     2     0   16    3/511        21    8.0M\n"
						       "site@ww~.example  at_max       0     4     0    4    0/511         0    123M\n" REMARKS);
}

/* A column of which nothing is known goes before one that says something, and stays where there is room. */
static void test_unknown_columns_go_first(void **state)
{
	const struct pools_row rows[] = {
		{.f = {.name = "a", .state = "ready", .served = WIRE_UNKNOWN, .memory_bytes = WIRE_UNKNOWN}},
		{.f = {.name = "b", .state = "ready", .served = WIRE_UNKNOWN, .memory_bytes = WIRE_UNKNOWN}},
	};
	struct view v = {.sort = NULL};
	struct layout l;

	(void)state;
	pools_take(&v, rows, 2, 1000, (struct wire_wr){.at = bytes, .cap = sizeof(bytes)});
	l = layout_make(&v, 0);
	assert_string_equal(l.column[l.count - 1]->key, "memory");
	l = layout_make(&v, l.total - 1);
	assert_string_equal(l.column[l.count - 2]->key, "served");
	assert_string_equal(l.column[l.count - 1]->key, "restarts");
	l = layout_make(&v, l.total - 1);
	assert_string_equal(l.column[l.count - 2]->key, "queue");
	assert_string_equal(l.column[l.count - 1]->key, "restarts");
	l = layout_make(&v, l.total - 1);
	assert_string_equal(l.column[l.count - 1]->key, "restarts");
	assert_string_equal(l.column[l.count - 3]->key, "booting"); /* max has gone */
	view_fini(&v);
}

static void test_colour(void **state)
{
	char *got = rendered((struct table_style){.colour = true});

	(void)state;
	assert_non_null(strstr(got, "\n\x1b[1mPOOL "));
	assert_non_null(strstr(got, "\x1b[1;31m  failed  \x1b[0m"));
	assert_non_null(strstr(got, "\x1b[32m  ready   \x1b[0m"));
	assert_non_null(strstr(got, "\nbad: \\x1b[31mno;"));
	free(got);
}

/* Whatever the size: never more lines, no pool's is longer. */
static void test_never_more_than_the_screen(void **state)
{
	(void)state;
	for (size_t lines = 3; lines < 12; lines++) {
		for (size_t width = 1; width < 110; width++) {
			char *got = rendered((struct table_style){.width = width, .lines = lines}), *rest = got;
			size_t count = 0;

			for (char *line; (line = strsep(&rest, "\n")) != NULL && rest != NULL; count++)
				assert_true(count < 2 || strstr(line, "...") == line || strstr(line, ": ") != NULL || term_columns(line) <= width);
			assert_true(count <= lines && count >= (lines < 8 ? lines : 8));
			free(got);
		}
	}
	expect((struct table_style){.width = 80, .lines = 6}, "fcgipm 0.1.0, up 1m 0s, launcher 11, manager 12, configuration 0, 0 of 512 workers\n"
							      "3 pools: 1 failed, 1 at_max, 1 ready; 3 waiting, 131M of memory\n"
							      "POOL              STATE     IDLE  BUSY  BOOT  MAX    QUEUE  RESTARTS  MEMORY\n"
							      "bad               failed       0     0     0    1      -/5         0       -\n"
							      "... 2 more; fcgipm top shows them\n"
							      "bad: \\x1b[31mno; 3 crashes in a row\n");
}

/* Below the pools, where the screen has room for both. */
static void test_profiles(void **state)
{
	struct wire_status_profile p[] = {{.name = "cgi", .running = 2, .max_running = 64, .queue_limit = 256, .started = 1234567, .cpu_ms = 93500},
					  {.name = "maintenance", .max_running = 1, .queue_limit = 0, .failed = 3, .timeouts = 4, .busy = 5, .refused = 6}};
	struct view v = {.sort = NULL};
	struct fp_doc d = {.at = NULL}, small = {.at = NULL};

	(void)state;
	pools_take(&v, NULL, 0, 1000, (struct wire_wr){.at = bytes, .cap = sizeof(bytes)});
	free(v.now.profiles);
	v.now.profiles = p;
	v.now.profile_count = 2;
	table_render(&d, &v, &(const struct table_style){.width = 0});
	assert_string_equal(strstr(d.at, "0 pools\n"), "0 pools\n\n"
						       "PROFILE      RUNNING    QUEUE  STARTED   FAILED  TIMEOUT     BUSY  REFUSED      CPU\n"
						       "cgi             2/64    0/256     1.2M        0        0        0        0   1m 33s\n"
						       "maintenance      0/1      0/0        0        3        4        5        6     0 ms\n");
	table_render(&small, &v, &(const struct table_style){.lines = 7});
	assert_null(strstr(small.at, "PROFILE"));
	fp_doc_fini(&d);
	fp_doc_fini(&small);
	v.now.profiles = NULL;
	view_fini(&v);
}

static void test_no_pools(void **state)
{
	struct view v = {.sort = NULL};
	struct fp_doc d = {.at = NULL};

	(void)state;
	pools_take(&v, NULL, 0, 1000, (struct wire_wr){.at = bytes, .cap = sizeof(bytes)});
	table_render(&d, &v, &(const struct table_style){.width = 0});
	assert_string_equal(strchr(d.at, '\n'), "\n0 pools\n");
	fp_doc_fini(&d);
	view_fini(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_80_columns),
		cmocka_unit_test(test_unknown_columns_go_first),
		cmocka_unit_test(test_colour),
		cmocka_unit_test(test_never_more_than_the_screen),
		cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_no_pools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
