/* The log: form of a line, what cannot be forged, what happens when it is too long or nobody reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"

static int out[2]; /* the log's pipe */
static char got[8 * PIPE_BUF];

static int setup(void **state)
{
	(void)state;
	return pipe2(out, O_CLOEXEC) == 0 && fp_set_nonblock(out[0], true) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	fp_log_setup(2, FP_LOG_INFO, FP_LOG_LOGFMT);
	fp_close(&out[0]);
	fp_close(&out[1]);
	return 0;
}

/* What one read(2) gives: one line, when one write is one line and nothing else was written. */
static const char *take(void)
{
	ssize_t n = read(out[0], got, sizeof(got) - 1);

	got[n > 0 ? n : 0] = '\0';
	return got;
}

static bool matches(const char *text, const char *pattern)
{
	regex_t r;
	bool yes;

	assert_int_equal(regcomp(&r, pattern, REG_EXTENDED | REG_NOSUB), 0);
	yes = regexec(&r, text, 0, NULL, 0) == 0;
	regfree(&r);
	if (!yes)
		print_message("%s\n", text);
	return yes;
}

#define STAMP "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{3}Z"

static void test_logfmt(void **state)
{
	(void)state;
	fp_log_setup(out[1], FP_LOG_INFO, FP_LOG_LOGFMT);
	log_warn("worker.exit", KS("pool", "blog"), KI("pid", 42), KI("low", INT64_MIN), KS("none", NULL), KB("part", "abcdef", 3));
	assert_true(matches(take(), "^time=" STAMP " level=warn event=worker\\.exit pool=\"blog\" pid=42 low=-9223372036854775808 none=\"\" part=\"abc\"\n$"));
	log_error("plain");
	assert_true(matches(take(), "^time=" STAMP " level=error event=plain\n$"));
}

static void test_json(void **state)
{
	(void)state;
	fp_log_setup(out[1], FP_LOG_INFO, FP_LOG_JSON);
	log_info("worker.exit", KS("pool", "blog"), KI("pid", 42), KS("none", NULL));
	assert_true(
		matches(take(), "^\\{\"time\":\"" STAMP "\",\"level\":\"info\",\"event\":\"worker\\.exit\",\"pool\":\"blog\",\"pid\":42,\"none\":\"\"\\}\n$"));
	log_error("plain");
	assert_true(matches(take(), "^\\{\"time\":\"" STAMP "\",\"level\":\"error\",\"event\":\"plain\"\\}\n$"));
}

static void test_utc(void **state)
{
	time_t now = time(NULL);
	struct tm utc;
	char minute[32], later[32];

	(void)state;
	fp_log_setup(out[1], FP_LOG_INFO, FP_LOG_LOGFMT);
	strftime(minute, sizeof(minute), "time=%Y-%m-%dT%H:%M:", gmtime_r(&now, &utc));
	log_info("now");
	take();
	now += 60;
	strftime(later, sizeof(later), "time=%Y-%m-%dT%H:%M:", gmtime_r(&now, &utc));
	assert_true(strncmp(got, minute, strlen(minute)) == 0 || strncmp(got, later, strlen(later)) == 0);
}

static void test_levels(void **state)
{
	(void)state;
	fp_log_setup(out[1], FP_LOG_WARN, FP_LOG_LOGFMT);
	log_info("a");
	log_debug("b");
	assert_string_equal(take(), "");
	log_warn("c");
	assert_non_null(strstr(take(), "level=warn event=c\n"));
	fp_log_setup(out[1], FP_LOG_DEBUG, FP_LOG_LOGFMT);
	log_debug("d");
	assert_non_null(strstr(take(), "level=debug event=d\n"));
}

static void test_values_cannot_forge_a_line(void **state)
{
	static const char evil[] = "x\" level=error\ntime=0 event=forged \x1b[2J";

	(void)state;
	fp_log_setup(out[1], FP_LOG_INFO, FP_LOG_LOGFMT);
	log_info("worker.output", KB("text", evil, sizeof(evil)));
	assert_non_null(strstr(take(), " text=\"x\\\" level=error\\ntime=0 event=forged \\u001b[2J\\u0000\"\n"));
	assert_ptr_equal(strchr(got, '\n'), got + strlen(got) - 1);
}

/* Whatever is cut, and wherever: one line, at most PIPE_BUF bytes, that says so and is of the right form still. */
static void check_cut(size_t len, enum fp_log_format format)
{
	static char text[PIPE_BUF + 1];
	bool json = format == FP_LOG_JSON, cut;
	size_t got_len;

	memset(text, 'x', sizeof(text));
	text[len - 1] = '\n'; /* an escape at its end */
	log_info("long", KB("text", text, len), KI("number", 1234567890));
	got_len = strlen(take());
	assert_in_range(got_len, 1, PIPE_BUF);
	assert_ptr_equal(strchr(got, '\n'), got + got_len - 1);
	cut = strstr(got, json ? "\"cut\":1}\n" : " cut=1\n") != NULL;
	if (cut)
		assert_true(matches(got, json ? "\"text\":\"x*(\\\\n)?\",\"cut\":1\\}\n$" : " text=\"x*(\\\\n)?\" cut=1\n$"));
	else
		assert_true(matches(got, json ? "\"text\":\"x*\\\\n\",\"number\":1234567890\\}\n$" : " text=\"x*\\\\n\" number=1234567890\n$"));
	assert_int_equal(cut, len > PIPE_BUF / 2 ? cut : 0);
	assert_int_equal(cut, len == PIPE_BUF ? 1 : cut);
}

static void test_cut(void **state)
{
	(void)state;
	for (enum fp_log_format format = FP_LOG_LOGFMT; format <= FP_LOG_JSON; format++) {
		fp_log_setup(out[1], FP_LOG_INFO, format);
		check_cut(100, format);
		for (size_t len = PIPE_BUF - 200; len <= PIPE_BUF; len++)
			check_cut(len, format);
	}
}

static void fill_pipe(void)
{
	static const char junk[PIPE_BUF];

	assert_int_equal(fp_set_nonblock(out[1], true), 0);
	while (write(out[1], junk, sizeof(junk)) > 0)
		;
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fp_set_nonblock(out[1], false), 0);
}

static void test_nobody_reads(void **state)
{
	int64_t start;

	(void)state;
	fp_log_setup(out[1], FP_LOG_INFO, FP_LOG_LOGFMT);
	fill_pipe();
	start = fp_now_ms();
	for (int i = 0; i < 1000; i++)
		log_info("lost");
	assert_true(fp_now_ms() - start < 5000); /* not a thousand times the moment that one line is waited for */
	while (read(out[0], got, sizeof(got)) > 0)
		;
	log_info("again");
	take();
	assert_non_null(strstr(got, "level=warn event=log.dropped lines=1000\n"));
	assert_non_null(strstr(got, "level=info event=again\n"));
	log_info("more");
	assert_null(strstr(take(), "log.dropped"));
}

/* With SIGPIPE ignored, as every main does; errno is whatever it was. */
static void test_reader_is_gone(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	fp_log_setup(out[1], FP_LOG_INFO, FP_LOG_LOGFMT);
	fp_close(&out[0]);
	errno = EXDEV;
	log_error("into.nothing");
	assert_int_equal(errno, EXDEV);
	fp_close(&out[1]);
	fp_log_setup(1 << 20, FP_LOG_INFO, FP_LOG_LOGFMT);
	log_error("nowhere");
	assert_int_equal(errno, EXDEV);
	signal(SIGPIPE, SIG_DFL);
	/* They are reported once there is a log again. */
	assert_int_equal(setup(state), 0);
	fp_log_setup(out[1], FP_LOG_INFO, FP_LOG_LOGFMT);
	log_info("back");
	assert_non_null(strstr(take(), "event=log.dropped lines=2\n"));
}

/* Several processes with one log, long lines: none is torn. */
static void test_lines_do_not_mix(void **state)
{
	enum { WRITERS = 4, LINES = 200, TEXT = 3000 };
	static char text[WRITERS][TEXT], line[2 * PIPE_BUF];
	int seen = 0;
	FILE *in;

	(void)state;
	fp_log_setup(out[1], FP_LOG_INFO, FP_LOG_LOGFMT);
	for (int w = 0; w < WRITERS; w++) {
		memset(text[w], 'a' + w, TEXT);
		if (fork() == 0) {
			for (int i = 0; i < LINES; i++)
				log_info("mixed", KB("text", text[w], TEXT));
			_exit(0);
		}
	}
	fp_close(&out[1]);
	assert_int_equal(fp_set_nonblock(out[0], false), 0);
	in = fdopen(FP_TAKE_FD(out[0]), "r");
	assert_non_null(in);
	while (fgets(line, sizeof(line), in) != NULL) {
		const char *at = strstr(line, "text=\"");

		assert_non_null(at);
		assert_in_range(at[6], 'a', 'a' + WRITERS - 1);
		assert_memory_equal(at + 6, text[at[6] - 'a'], TEXT);
		assert_string_equal(at + 6 + TEXT, "\"\n");
		seen++;
	}
	fclose(in);
	while (wait(NULL) > 0)
		;
	assert_int_equal(seen, WRITERS * LINES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_logfmt, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_utc, setup, teardown),
		cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values_cannot_forge_a_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_reads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reader_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lines_do_not_mix, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
