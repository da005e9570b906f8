/* Snapshots from managers that answer, dawdle, refuse, die and come back; the time is the test's own. */
#include "tests/unit/client/fake_manager.h"

#include <poll.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/cli/feed.h"
#include "tests/unit/client/sample.h"

static struct wire_dgram got;
static int go[2]; /* a byte for each answer that the manager may give */

static uint32_t asked(int fd)
{
	uint32_t seq = fake_asked(fd, &got, WIRE_C_STATUS);

	if (fp_read_full(go[0], (char[1]){0}, 1) < 0)
		_exit(10);
	return seq;
}

/* Answers one request with the sample. */
static void answer(int fd)
{
	static uint8_t bytes[4096];
	uint32_t seq = asked(fd);
	int snapshot;

	if (fp_memfd_sealed("status", bytes, sample_encode(bytes, sizeof(bytes)), &snapshot) < 0)
		_exit(10);
	fake_done(fd, seq, 0, "", snapshot);
	close(snapshot);
}

static void script_answers_once(int fd)
{
	answer(fd);
}

static void script_answers(int fd)
{
	answer(fd);
	answer(fd);
}

static void script_refuses(int fd)
{
	fake_done(fd, asked(fd), 1, "not for you", -1);
}

static void script_dies(int fd)
{
	(void)asked(fd);
}

static void begin(struct feed *f, struct fake *m, fake_script *script, int64_t interval_ms)
{
	struct cli cli = {.given = {{.key = CLI_KEY_SOCKET}}, .given_count = 1, .out = stdout, .err = stderr};

	fake_start(m, script);
	cli.given[0].value = m->path;
	assert_int_equal(feed_open(f, &cli, "", interval_ms), 0);
}

/* Lets the manager act, and waits until something has come. */
static void await(const struct feed *f)
{
	struct pollfd p = {.fd = feed_fd(f), .events = POLLIN};

	assert_int_equal(fp_write_full(go[1], "", 1), 0);
	assert_int_equal(poll(&p, 1, 20000), 1);
}

static void take(struct feed *f, int64_t asked_ms, int64_t came_ms)
{
	struct snapshot s;
	struct feed_refusal no;

	assert_int_equal(feed_step(f, asked_ms, &s, &no), FEED_NOTHING);
	await(f);
	assert_int_equal(feed_step(f, came_ms, &s, &no), FEED_SNAPSHOT);
	assert_int_equal(s.count, 2);
	snapshot_free(&s);
}

static void test_asks_when_it_is_time(void **state)
{
	struct fake m;
	struct feed f;

	(void)state;
	begin(&f, &m, script_answers, 2000);
	assert_int_equal(feed_wait_ms(&f, 10000), 0);
	take(&f, 10000, 10005);
	assert_int_equal(feed_wait_ms(&f, 10005), 1995);
	assert_int_equal(feed_fd(&f), -1);
	feed_hurry(&f);
	assert_int_equal(feed_wait_ms(&f, 10005), 0);
	take(&f, 10006, 10506);
	assert_int_equal(feed_wait_ms(&f, 10506), 4500); /* it took 500 ms: a tenth of the time */
	assert_null(feed_news(&f, 10506));
	feed_close(&f);
	fake_stop(&m);
}

static void test_says_when_nobody_answers(void **state)
{
	struct fake m;
	struct feed f;
	struct snapshot s;
	struct feed_refusal no;

	(void)state;
	begin(&f, &m, script_dies, 2000);
	assert_int_equal(feed_step(&f, 10000, &s, &no), FEED_NOTHING);
	assert_null(feed_news(&f, 12999));
	assert_int_equal(feed_wait_ms(&f, 12000), 1000);
	assert_string_equal(feed_news(&f, 13000), "the manager does not answer");
	assert_int_equal(feed_wait_ms(&f, 13000), -1); /* until it does */
	await(&f);
	assert_int_equal(feed_step(&f, 14000, &s, &no), FEED_NOTHING);
	assert_non_null(strstr(feed_news(&f, 14000), "went away"));
	assert_int_equal(feed_fd(&f), -1);
	assert_int_equal(feed_wait_ms(&f, 14000), 500);
	fake_stop(&m);
	assert_int_equal(feed_step(&f, 14500, &s, &no), FEED_NOTHING);
	assert_non_null(strstr(feed_news(&f, 14500), "no manager at /tmp/"));
	assert_int_equal(feed_wait_ms(&f, 14500), 500);
	feed_close(&f);
}

static void test_goes_on_with_the_next_manager(void **state)
{
	struct fake m, next;
	struct feed f;
	struct snapshot s;
	struct feed_refusal no;

	(void)state;
	begin(&f, &m, script_answers_once, 2000);
	take(&f, 10000, 10001);
	fake_stop(&m); /* between two requests: nobody sees it go */
	fake_start(&next, script_answers_once);
	f.path = next.path;
	f.manager_pid = 99;
	assert_int_equal(feed_step(&f, 12000, &s, &no), FEED_NOTHING);
	assert_int_equal(feed_wait_ms(&f, 12000), 0); /* the connection was dead: another at once */
	take(&f, 12000, 12001);
	assert_string_equal(feed_news(&f, 12001), "manager 12 has taken over from 99");
	assert_null(feed_news(&f, 22001));
	feed_close(&f);
	fake_stop(&next);
}

static void test_refusal(void **state)
{
	struct fake m;
	struct feed f;
	struct snapshot s;
	struct feed_refusal no = {.code = 0};

	(void)state;
	begin(&f, &m, script_refuses, 2000);
	assert_int_equal(feed_step(&f, 10000, &s, &no), FEED_NOTHING);
	await(&f);
	assert_int_equal(feed_step(&f, 10001, &s, &no), FEED_REFUSED);
	assert_int_equal(no.code, 1);
	assert_string_equal(no.why.text, "not for you");
	feed_close(&f);
	fake_stop(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asks_when_it_is_time),
		cmocka_unit_test(test_says_when_nobody_answers),
		cmocka_unit_test(test_goes_on_with_the_next_manager),
		cmocka_unit_test(test_refusal),
	};

	if (pipe(go) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
