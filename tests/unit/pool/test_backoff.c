/* Crash damping on a clock of our own. */
#include "fcgipm/pool/backoff.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#define EXITED(code) ((code) << 8)

static const struct backoff_rule rule = {.delay_ms = 100, .max_delay_ms = 30000};

static void doubles_up_to_the_most(void **state)
{
	static const int64_t delays[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000};
	struct backoff b = {0};
	int64_t now = 1000;

	(void)state;
	assert_int_equal(backoff_wait_ms(&b, now), 0);
	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		backoff_crash(&b, &rule, now);
		assert_int_equal(b.in_row, i + 1);
		assert_int_equal(backoff_wait_ms(&b, now), delays[i]);
		assert_int_equal(backoff_wait_ms(&b, now + delays[i] - 1), 1);
		assert_int_equal(backoff_wait_ms(&b, now + delays[i]), 0);
		now += delays[i];
	}
}

static void a_healthy_while_forgets(void **state)
{
	struct backoff b = {0};

	(void)state;
	backoff_crash(&b, &rule, 0);
	backoff_crash(&b, &rule, 100);
	backoff_healthy(&b, &rule, 100 + 9999); /* 10 s at least, though delay x 10 is 1 s */
	assert_int_equal(b.in_row, 2);
	backoff_healthy(&b, &rule, 100 + 10000);
	assert_int_equal(b.in_row, 0);
	backoff_crash(&b, &rule, 20000);
	assert_int_equal(backoff_wait_ms(&b, 20000), 100);
}

static void a_long_delay_needs_a_longer_while(void **state)
{
	const struct backoff_rule slow = {.delay_ms = 5000, .max_delay_ms = 60000};
	struct backoff b = {0};

	(void)state;
	backoff_crash(&b, &slow, 0);
	backoff_healthy(&b, &slow, 49999);
	assert_int_equal(b.in_row, 1);
	backoff_healthy(&b, &slow, 50000);
	assert_int_equal(b.in_row, 0);
}

static void gives_up_only_when_told(void **state)
{
	struct backoff_rule three = rule;
	struct backoff b = {0};

	(void)state;
	three.give_up_after = 3;
	for (int i = 0; i < 2; i++)
		backoff_crash(&b, &three, 0);
	assert_false(backoff_gave_up(&b, &three));
	backoff_crash(&b, &three, 0);
	assert_true(backoff_gave_up(&b, &three));
	assert_false(backoff_gave_up(&b, &rule)); /* 0: never */
}

static void delay_above_the_most(void **state)
{
	const struct backoff_rule odd = {.delay_ms = 500, .max_delay_ms = 200};
	struct backoff b = {0};

	(void)state;
	backoff_crash(&b, &odd, 0);
	assert_int_equal(backoff_wait_ms(&b, 0), 200);
}

struct ended {
	int status;
	bool asked, served, timed_out, spawned;
	enum worker_end end;
	bool crash;
};

static void what_counts_as_a_crash(void **state)
{
	static const struct ended ends[] = {
		{EXITED(0), false, true, false, true, WORKER_END_NORMAL, false},     {EXITED(0), false, false, false, true, WORKER_END_EARLY, true},
		{EXITED(3), false, true, false, true, WORKER_END_EXIT, true},        {SIGSEGV, false, true, false, true, WORKER_END_SIGNAL, true},
		{SIGSEGV | 0x80, false, true, false, true, WORKER_END_SIGNAL, true}, /* with a core */
		{SIGTERM, true, true, false, true, WORKER_END_ASKED, false},         {EXITED(1), true, false, false, true, WORKER_END_ASKED, false},
		{SIGKILL, false, true, true, true, WORKER_END_OVERTIME, false},      {SIGKILL, false, false, true, true, WORKER_END_TIMEOUT, true},
		{EXITED(127), false, false, false, false, WORKER_END_SPAWN, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const struct ended *e = &ends[i];
		enum worker_end end = worker_end_of(e->status, e->asked, e->served, e->timed_out, e->spawned);

		assert_int_equal(end, e->end);
		assert_int_equal(worker_end_is_crash(end), e->crash);
		assert_true(strlen(worker_end_name(end)) > 0);
	}
}

/* gitweb exits 0 after every error page: a thousand bad links in a row delay nothing. */
static void gitweb(void **state)
{
	struct backoff b = {0};

	(void)state;
	for (int64_t now = 0; now < 1000; now++) {
		enum worker_end end = worker_end_of(EXITED(0), false, true, false, true);

		if (worker_end_is_crash(end))
			backoff_crash(&b, &rule, now);
		assert_int_equal(backoff_wait_ms(&b, now), 0);
	}
	assert_int_equal(b.in_row, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles_up_to_the_most),
		cmocka_unit_test(a_healthy_while_forgets),
		cmocka_unit_test(a_long_delay_needs_a_longer_while),
		cmocka_unit_test(gives_up_only_when_told),
		cmocka_unit_test(delay_above_the_most),
		cmocka_unit_test(what_counts_as_a_crash),
		cmocka_unit_test(gitweb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
