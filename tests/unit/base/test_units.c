/* Durations, sizes, modes and signals: what is read, what is refused, and that what is written reads back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <errno.h>
#include <signal.h>

#include "fcgipm/base/units.h"

enum { UNTOUCHED = 4711 };

static void test_u64(void **state)
{
	static const char *const malformed[] = {"", " 1", "1 ", "+1", "-1", "0x10", "1.5", "one", "1_000"};
	uint64_t v;

	(void)state;
	assert_int_equal(fp_parse_u64("0", &v), 0);
	assert_int_equal(v, 0);
	assert_int_equal(fp_parse_u64("007", &v), 0);
	assert_int_equal(v, 7);
	assert_int_equal(fp_parse_u64("18446744073709551615", &v), 0);
	assert_true(v == UINT64_MAX);
	v = UNTOUCHED;
	assert_int_equal(fp_parse_u64("18446744073709551616", &v), -ERANGE);
	assert_int_equal(fp_parse_u64("99999999999999999999999999", &v), -ERANGE);
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		assert_int_equal(fp_parse_u64(malformed[i], &v), -EINVAL);
	assert_int_equal(v, UNTOUCHED);
}

static const struct {
	const char *text;
	int result;
	int64_t ms;
	const char *shown;
} durations[] = {
	{"0", 0, 0, "0s"},
	{"0s", 0, 0, "0s"},
	{"250ms", 0, 250, "250ms"},
	{"1000ms", 0, 1000, "1s"},
	{"10s", 0, 10000, "10s"},
	{"90s", 0, 90000, "90s"},
	{"60s", 0, 60000, "1m"},
	{"5m", 0, 300000, "5m"},
	{"1h", 0, 3600000, "1h"},
	{"24h", 0, 86400000, "1d"},
	{"36h", 0, 129600000, "36h"},
	{"9223372036854775807ms", 0, INT64_MAX, "9223372036854775807ms"},
	{"9223372036854775808ms", -ERANGE, 0, NULL},
	{"106751991168d", -ERANGE, 0, NULL},
	{"99999999999999999999d", -ERANGE, 0, NULL},
	{"1", -EINVAL, 0, NULL},
	{"", -EINVAL, 0, NULL},
	{"s", -EINVAL, 0, NULL},
	{"-1s", -EINVAL, 0, NULL},
	{"1S", -EINVAL, 0, NULL},
	{"1 s", -EINVAL, 0, NULL},
	{" 1s", -EINVAL, 0, NULL},
	{"1s ", -EINVAL, 0, NULL},
	{"1.5s", -EINVAL, 0, NULL},
	{"1h30m", -EINVAL, 0, NULL},
};

static void test_durations(void **state)
{
	char buf[32];

	(void)state;
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		int64_t ms = UNTOUCHED;

		assert_int_equal(fp_parse_duration_ms(durations[i].text, &ms), durations[i].result);
		assert_int_equal(ms, durations[i].result == 0 ? durations[i].ms : UNTOUCHED);
		if (durations[i].result == 0) {
			assert_string_equal(fp_format_duration_ms(ms, buf, sizeof(buf)), durations[i].shown);
			assert_int_equal(fp_parse_duration_ms(buf, &ms), 0);
			assert_int_equal(ms, durations[i].ms);
		}
	}
}

static const struct {
	const char *text;
	int result;
	uint64_t bytes;
	const char *shown;
} sizes[] = {
	{"0", 0, 0, "0"},
	{"0K", 0, 0, "0"},
	{"4096", 0, 4096, "4K"},
	{"1000", 0, 1000, "1000"},
	{"64K", 0, 65536, "64K"},
	{"1024M", 0, 1ull << 30, "1G"},
	{"1536M", 0, 1536ull << 20, "1536M"},
	{"2T", 0, 2ull << 40, "2T"},
	{"18446744073709551614", 0, UINT64_MAX - 1, "18446744073709551614"},
	{"18446744073709551615", -ERANGE, 0, NULL}, /* the largest value means "no limit" elsewhere */
	{"16777216T", -ERANGE, 0, NULL},
	{"", -EINVAL, 0, NULL},
	{"K", -EINVAL, 0, NULL},
	{"1k", -EINVAL, 0, NULL},
	{"1KB", -EINVAL, 0, NULL},
	{"1 K", -EINVAL, 0, NULL},
	{"-1K", -EINVAL, 0, NULL},
};

static void test_sizes(void **state)
{
	char buf[32];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t bytes = UNTOUCHED;

		assert_int_equal(fp_parse_size(sizes[i].text, &bytes), sizes[i].result);
		assert_true(bytes == (sizes[i].result == 0 ? sizes[i].bytes : UNTOUCHED));
		if (sizes[i].result == 0) {
			assert_string_equal(fp_format_size(bytes, buf, sizeof(buf)), sizes[i].shown);
			assert_int_equal(fp_parse_size(buf, &bytes), 0);
			assert_true(bytes == sizes[i].bytes);
		}
	}
}

static void test_modes(void **state)
{
	unsigned mode = UNTOUCHED;

	(void)state;
	assert_int_equal(fp_parse_mode("0660", &mode), 0);
	assert_int_equal(mode, 0660);
	assert_int_equal(fp_parse_mode("7777", &mode), 0);
	assert_int_equal(mode, 07777);
	assert_int_equal(fp_parse_mode("0", &mode), 0);
	assert_int_equal(mode, 0);
	assert_int_equal(fp_parse_mode("10000", &mode), -ERANGE);
	assert_int_equal(fp_parse_mode("0680", &mode), -EINVAL);
	assert_int_equal(fp_parse_mode("u=rw", &mode), -EINVAL);
	assert_int_equal(fp_parse_mode("", &mode), -EINVAL);
	assert_int_equal(mode, 0);
}

static void test_signals(void **state)
{
	int signo = UNTOUCHED;

	(void)state;
	assert_int_equal(fp_parse_signal("TERM", &signo), 0);
	assert_int_equal(signo, SIGTERM);
	assert_int_equal(fp_parse_signal("SIGUSR1", &signo), 0);
	assert_int_equal(signo, SIGUSR1);
	assert_int_equal(fp_parse_signal("15", &signo), 0);
	assert_int_equal(signo, 15);
	assert_int_equal(fp_parse_signal("none", &signo), 0);
	assert_int_equal(signo, 0);
	signo = UNTOUCHED;
	assert_int_equal(fp_parse_signal("0", &signo), -ERANGE);
	assert_int_equal(fp_parse_signal("65", &signo), -ERANGE);
	assert_int_equal(fp_parse_signal("SIGnone", &signo), -EINVAL);
	assert_int_equal(fp_parse_signal("SIG", &signo), -EINVAL);
	assert_int_equal(fp_parse_signal("SIG15", &signo), -EINVAL);
	assert_int_equal(fp_parse_signal("SIGSIGTERM", &signo), -EINVAL);
	assert_int_equal(fp_parse_signal("term", &signo), -EINVAL);
	assert_int_equal(fp_parse_signal("", &signo), -EINVAL);
	assert_int_equal(fp_parse_signal("-15", &signo), -EINVAL);
	assert_int_equal(signo, UNTOUCHED);
}

static void test_signal_names_read_back(void **state)
{
	(void)state;
	for (int signo = 0; signo < SIGSYS + 1; signo++) {
		int back = UNTOUCHED;

		if (signo == SIGSTKFLT) {
			assert_string_equal(fp_signal_name(signo), "?"); /* no kernel sends it */
			continue;
		}
		assert_int_equal(fp_parse_signal(fp_signal_name(signo), &back), 0);
		assert_int_equal(back, signo);
	}
	assert_string_equal(fp_signal_name(0), "none");
	assert_string_equal(fp_signal_name(-1), "?");
	assert_string_equal(fp_signal_name(1000), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),   cmocka_unit_test(test_durations), cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_modes), cmocka_unit_test(test_signals),   cmocka_unit_test(test_signal_names_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
