/* The forms of an event: what syslog(3) writes, what the journal's protocol has, and that no value gets out of its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fcgipm/base/log_form.h"
#include "fcgipm/base/text.h"
#include "tests/unit/base/journal_entry.h"

static char buf[FP_LOG_ENTRY_BYTES];
static struct entry entry;

/* 2026-01-05T07:08:09.012Z */
static struct fp_log_event event(enum fp_log_level level, enum fp_log_format format, const struct fp_kv *line)
{
	return (struct fp_log_event){.level = level, .format = format, .at = {1767596889, 12345678}, .pid = 42, .line = line};
}

static struct fp_text empty(size_t cap)
{
	assert_true(cap <= sizeof(buf));
	memset(buf, 'Z', sizeof(buf));
	buf[0] = '\0';
	return (struct fp_text){.at = buf, .cap = cap};
}

static int in_utc(void **state)
{
	(void)state;
	setenv("TZ", "UTC0", 1);
	tzset();
	return 0;
}

static void test_line(void **state)
{
	struct fp_log_event e = event(FP_LOG_WARN, FP_LOG_LOGFMT, FP_LOG_LINE("worker.exit", KS("pool", "blog"), KI("pid", 7)));
	struct fp_text t = empty(FP_LOG_LINE_BYTES);

	(void)state;
	fp_log_form_line(&t, &e);
	assert_string_equal(t.at, "time=2026-01-05T07:08:09.012Z level=warn event=worker.exit pool=\"blog\" pid=7\n");
	e.format = FP_LOG_JSON;
	t = empty(FP_LOG_LINE_BYTES);
	fp_log_form_line(&t, &e);
	assert_string_equal(t.at, "{\"time\":\"2026-01-05T07:08:09.012Z\",\"level\":\"warn\",\"event\":\"worker.exit\",\"pool\":\"blog\",\"pid\":7}\n");
}

/* Facility daemon (3), the day in two places, no newline at the end. */
static void test_syslog(void **state)
{
	static const struct {
		enum fp_log_level level;
		const char *begin;
	} cases[] = {{FP_LOG_ERROR, "<27>"}, {FP_LOG_WARN, "<28>"}, {FP_LOG_INFO, "<30>"}, {FP_LOG_DEBUG, "<31>"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fp_log_event e = event(cases[i].level, FP_LOG_LOGFMT, FP_LOG_LINE("ready", KI("pools", 3)));
		struct fp_text t = empty(FP_LOG_SYSLOG_BYTES);

		fp_log_form_syslog(&t, &e);
		assert_int_equal(strncmp(t.at, cases[i].begin, 4), 0);
		assert_int_equal(strncmp(t.at + 4, "Jan  5 07:08:09 fcgipm[42]: level=", 34), 0);
		assert_string_equal(strchr(strstr(t.at, "level="), ' '), " event=ready pools=3");
	}
}

static void test_syslog_json(void **state)
{
	struct fp_log_event e = event(FP_LOG_INFO, FP_LOG_JSON, FP_LOG_LINE("ready", KI("pools", 3)));
	struct fp_text t = empty(FP_LOG_SYSLOG_BYTES);

	(void)state;
	fp_log_form_syslog(&t, &e);
	assert_string_equal(t.at, "<30>Jan  5 07:08:09 fcgipm[42]: {\"level\":\"info\",\"event\":\"ready\",\"pools\":3}");
}

static void test_syslog_is_local_time(void **state)
{
	struct fp_log_event e = event(FP_LOG_INFO, FP_LOG_LOGFMT, FP_LOG_LINE("ready"));
	struct fp_text t = empty(FP_LOG_SYSLOG_BYTES);

	(void)state;
	setenv("TZ", "TST-19:30", 1);
	tzset();
	fp_log_form_syslog(&t, &e);
	in_utc(NULL);
	assert_string_equal(t.at, "<30>Jan  6 02:38:09 fcgipm[42]: level=info event=ready");
}

static const char evil[] = "x\" level=error\nPRIORITY=0\nFCGIPM_POOL=forged\n\n\x1b\xff\0.";

static void test_values_stay_in_their_place(void **state)
{
	struct fp_log_event e = event(FP_LOG_INFO, FP_LOG_LOGFMT, FP_LOG_LINE("worker.output", KS("pool", "blog"), KB("text", evil, sizeof(evil))));
	struct fp_text t = empty(FP_LOG_SYSLOG_BYTES);

	(void)state;
	fp_log_form_syslog(&t, &e);
	assert_null(strchr(t.at, '\n'));
	assert_int_equal(strlen(t.at), t.len);
	t = empty(sizeof(buf));
	fp_log_form_journal(&t, &e);
	assert_true(entry_read(t.at, t.len, &entry));
	assert_true(entry_is(&entry, "PRIORITY", "6", 1));
	assert_true(entry_is(&entry, "FCGIPM_POOL", "blog", 4));
	assert_true(entry_is(&entry, "FCGIPM_TEXT", evil, sizeof(evil)));
	assert_null(memchr(entry_find(&entry, "MESSAGE")->value, '\x1b', entry_find(&entry, "MESSAGE")->len));
}

/* The whole entry, byte by byte, with the second way of a field where the value has a newline. */
static void test_journal(void **state)
{
	static const char expected[] =
		"PRIORITY=3\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=fcgipm\nMESSAGE=level=error event=pool.failed pool=\"blog\" crashes=-5 error=\"a\\nb\"\n"
		"FCGIPM_EVENT=pool.failed\nFCGIPM_POOL=blog\nFCGIPM_CRASHES=-5\nFCGIPM_ERROR\n\3\0\0\0\0\0\0\0a\nb\n";
	struct fp_log_event e = event(FP_LOG_ERROR, FP_LOG_LOGFMT, FP_LOG_LINE("pool.failed", KS("pool", "blog"), KI("crashes", -5), KS("error", "a\nb")));
	struct fp_text t = empty(sizeof(buf));

	(void)state;
	fp_log_form_journal(&t, &e);
	assert_int_equal(t.len, sizeof(expected) - 1);
	assert_memory_equal(t.at, expected, t.len);
	assert_true(entry_read(t.at, t.len, &entry));
	assert_int_equal(entry.count, 8);
}

static void test_journal_json(void **state)
{
	static const char message[] = "{\"level\":\"debug\",\"event\":\"worker.ready\",\"pid\":9}";
	struct fp_log_event e = event(FP_LOG_DEBUG, FP_LOG_JSON, FP_LOG_LINE("worker.ready", KI("pid", 9)));
	struct fp_text t = empty(sizeof(buf));

	(void)state;
	fp_log_form_journal(&t, &e);
	assert_true(entry_read(t.at, t.len, &entry));
	assert_true(entry_is(&entry, "MESSAGE", message, strlen(message)));
	assert_true(entry_is(&entry, "PRIORITY", "7", 1));
	assert_true(entry_is(&entry, "FCGIPM_PID", "9", 1));
}

static void test_names(void **state)
{
	static const struct {
		const char *key, *name;
	} cases[] = {
		{"in_all_ms", "FCGIPM_IN_ALL_MS"},
		{"a-b.c=d\ne", "FCGIPM_A_B_C_D_E"},
		{"x9", "FCGIPM_X9"},
		{"\xc3\xa4", "FCGIPM___"},
		{"a123456789b123456789c123456789d123456789e123456789f123456789", "FCGIPM_A123456789B123456789C123456789D123456789E123456789F123456"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fp_text t = empty(sizeof(buf));

		fp_log_form_field(&t, "FCGIPM_", KS(cases[i].key, "v"));
		assert_true(entry_read(t.at, t.len, &entry));
		assert_true(entry_is(&entry, cases[i].name, "v", 1));
	}
}

/* A length that has every byte of its own. */
static void test_long_value(void **state)
{
	enum { LONG = 0x8102 };
	static char text[LONG];
	struct fp_text t = empty(sizeof(buf));

	(void)state;
	memset(text, 'x', sizeof(text));
	text[LONG - 1] = '\n';
	fp_log_form_field(&t, "", KB("TEXT", text, LONG));
	assert_memory_equal(t.at, "TEXT\n\x02\x81\0\0\0\0\0\0xxx", 16);
	assert_true(entry_read(t.at, t.len, &entry));
	assert_true(entry_is(&entry, "TEXT", text, LONG));
	assert_false(t.cut);
}

/* Whatever room there is: what comes out is an entry, and says when something is missing. */
static void test_journal_cut(void **state)
{
	static char text[1000];
	struct fp_log_event e =
		event(FP_LOG_INFO, FP_LOG_LOGFMT, FP_LOG_LINE("long", KB("text", text, sizeof(text)), KI("number", 1234567890), KS("last", "1")));

	(void)state;
	memset(text, 'x', sizeof(text));
	text[500] = '\n';
	for (size_t cap = 100; cap < 2400; cap++) {
		struct fp_text t = empty(cap);
		bool whole;

		fp_log_form_journal(&t, &e);
		assert_in_range(t.len, 1, cap - 1);
		assert_int_equal(buf[cap], 'Z');
		assert_true(entry_read(t.at, t.len, &entry));
		whole = entry_is(&entry, "FCGIPM_TEXT", text, sizeof(text)) && entry_is(&entry, "FCGIPM_NUMBER", "1234567890", 10) &&
			entry_is(&entry, "FCGIPM_LAST", "1", 1);
		assert_int_equal(entry_is(&entry, "FCGIPM_CUT", "1", 1), t.cut);
		assert_true(whole == !t.cut);
		assert_true(cap < 2300 || whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_syslog),
		cmocka_unit_test(test_syslog_json),
		cmocka_unit_test(test_syslog_is_local_time),
		cmocka_unit_test(test_values_stay_in_their_place),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_journal_json),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_long_value),
		cmocka_unit_test(test_journal_cut),
	};

	return cmocka_run_group_tests(tests, in_utc, NULL);
}
