/* Numbers for people: where each unit begins, and that none is rounded up to what it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>

#include "fcgipm/client/human.h"

struct row {
	int64_t n;
	const char *want;
};

static void check(const char *(*format)(int64_t, char *, size_t), const struct row *rows)
{
	char buf[32];

	for (; rows->want != NULL; rows++)
		assert_string_equal(format(rows->n, buf, sizeof(buf)), rows->want);
}

static void test_bytes(void **state)
{
	(void)state;
	check(human_bytes, (const struct row[]){{INT64_MIN, "-"},
						{-1, "-"},
						{0, "0"},
						{1023, "1023"},
						{1024, "1.0K"},
						{10239, "9.9K"},
						{10240, "10K"},
						{1048575, "1023K"},
						{8388608, "8.0M"},
						{INT64_C(5) << 30, "5.0G"},
						{INT64_MAX, "8388607T"},
						{0, NULL}});
}

static void test_count(void **state)
{
	(void)state;
	check(human_count,
	      (const struct row[]){{INT64_MIN, "-"}, {0, "0"}, {99999, "99999"}, {100000, "100k"}, {999999, "999k"}, {1299999, "1.2M"}, {0, NULL}});
}

static void test_rate(void **state)
{
	(void)state;
	check(human_rate, (const struct row[]){{INT64_MIN, "-"},
					       {0, "0"},
					       {4, "0.00"},
					       {250, "0.25"},
					       {999, "0.99"},
					       {1000, "1.0"},
					       {99999, "99.9"},
					       {100000, "100"},
					       {123456789, "123k"},
					       {0, NULL}});
}

static void test_ms(void **state)
{
	(void)state;
	check(human_ms, (const struct row[]){{INT64_MIN, "-"}, {0, "0 ms"}, {999, "999 ms"}, {1550, "1.5 s"}, {59999, "59.9 s"}, {61000, "1m 1s"}, {0, NULL}});
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_bytes), cmocka_unit_test(test_count), cmocka_unit_test(test_rate), cmocka_unit_test(test_ms)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
