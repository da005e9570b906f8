/* Growing and shrinking with the load of a real socket; the workers are the test's, which accepts for them. */
#include "tests/unit/manager/fake_launcher.h"

enum { CLIENTS = 8 };

struct load {
	int client[CLIENTS], served[CLIENTS];
};

static struct pool *blog(struct fake *f)
{
	return manager_pool(f->m, "blog");
}

static uint32_t ready(struct fake *f)
{
	return pool_census(blog(f)).ready;
}

static void elastic(struct pool_settings *s)
{
	s->workers_min = 1;
	s->workers_max = 6;
	s->workers_spare = 0;
	s->workers_idle_timeout = 300;
	s->workers_boot_parallel = 16;
}

static void asleep(struct pool_settings *s)
{
	elastic(s);
	s->workers_min = 0;
	s->workers_spare = 1;
}

static void up(struct fake *f, fake_change *change, uint32_t max_workers)
{
	fake_hello(f, -1);
	fake_settings(f, max_workers);
	fake_pool(f, "blog", 1, 0, change);
	fake_go(f);
	fake_until(f, f->m->running && blog(f)->listener != NULL && ready(f) == pool_min(blog(f)));
	fake_wait(f, 20);
	fake_forget(f);
}

static void come(struct fake *f, struct load *l, unsigned count)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", f->path);
	for (unsigned i = 0; i < count; i++) {
		l->client[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(l->client[i], (struct sockaddr *)&a, sizeof(a)), 0);
	}
}

static void serve(struct fake *f, struct load *l, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		l->served[i] = accept(f->listener, NULL, NULL);
}

static void leave(struct load *l, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		close(l->client[i]);
		close(l->served[i]);
	}
}

static void grows_and_shrinks(void **state)
{
	struct fake *f = *state;
	struct load l;
	int64_t at;

	up(f, elastic, 100);
	at = fp_now_ms();
	come(f, &l, 4);
	fake_until(f, ready(f) >= 4);
	assert_in_range(fp_now_ms() - at, 0, 100); /* milliseconds, not a heartbeat */
	serve(f, &l, 4);
	fake_wait(f, 500);
	assert_true(ready(f) >= 4); /* busy ones are not surplus */
	leave(&l, 4);
	at = fp_now_ms();
	fake_until(f, fake_count(f, 0, 0) == 1);
	assert_true(fp_now_ms() - at >= 200); /* surplus for the whole idle_timeout */
	assert_int_equal(blog(f)->counters.replaced, 0);
}

static void stays_below_max(void **state)
{
	struct fake *f = *state;
	struct load l;

	up(f, elastic, 100);
	come(f, &l, 8);
	fake_until(f, ready(f) == 6);
	fake_wait(f, 250);
	assert_int_equal(fake_count(f, 0, 0), 6);
	assert_true(blog(f)->episodes[EPISODE_AT_MAX].said);
	serve(f, &l, 8);
	fake_wait(f, 250);
	assert_true(blog(f)->counters.at_max_ms >= 100);
	assert_false(blog(f)->episodes[EPISODE_AT_MAX].said);
	assert_int_equal(blog(f)->counters.queue_peak, 8);
	leave(&l, 8);
}

static void wakes_from_sleep(void **state)
{
	struct fake *f = *state;
	struct load l;
	int64_t at;

	up(f, asleep, 100);
	assert_int_equal(fake_count(f, 0, 0), 0);
	at = fp_now_ms();
	come(f, &l, 1);
	fake_until(f, ready(f) >= 1);
	assert_in_range(fp_now_ms() - at, 0, 100);
	serve(f, &l, 1);
	leave(&l, 1);
	fake_until(f, fake_count(f, 0, 0) == 0); /* and goes back to it */
}

static void held_by_the_total(void **state)
{
	struct fake *f = *state;
	struct load l;

	up(f, elastic, 3);
	come(f, &l, 6);
	fake_until(f, ready(f) == 3 && blog(f)->episodes[EPISODE_HELD].since_ms != 0);
	fake_wait(f, 100);
	assert_int_equal(fake_count(f, 0, 0), 3);
	serve(f, &l, 6);
	leave(&l, 6);
}

/* An idle manager makes no wake-up: no timer is armed, and nothing is asked. */
static void idle_is_idle(void **state)
{
	struct fake *f = *state;
	int64_t at;

	up(f, elastic, 100);
	fake_wait(f, 700);
	fake_forget(f);
	at = fp_now_ms();
	assert_int_equal(event_base_get_num_events(f->m->base, EVENT_BASE_COUNT_ACTIVE), 0);
	for (unsigned i = 0; i < 20; i++) {
		struct timeval tick = {.tv_usec = 10000};

		event_base_loopexit(f->m->base, &tick);
		event_base_loop(f->m->base, EVLOOP_ONCE);
	}
	assert_true(fp_now_ms() - at >= 195); /* each of the 20 turns was ended by its own 10 ms, by nothing else */
	assert_int_equal(f->recorded, 0);
	assert_true(blog(f)->queue.armed);
}

/* gitweb: serves one request and exits with 0, before anybody saw it ready. */
static void short_lived(void **state)
{
	struct fake *f = *state;
	struct load l;

	f->look = WIRE_LOOK_BOOTING;
	fake_hello(f, -1);
	fake_settings(f, 100);
	fake_pool(f, "blog", 1, 0, elastic);
	fake_go(f);
	fake_until(f, f->m->running && fake_count(f, 0, 0) == 1);
	fake_wait(f, 20);
	for (unsigned i = 0; i < 3; i++) {
		unsigned spawned = fake_times(f, "SPAWN");

		come(f, &l, 1);
		fake_wait(f, 20);
		serve(f, &l, 1);
		fake_exit(f, fake_nth(f, 0, 0, 0), FAKE_CODE_EXIT_0);
		leave(&l, 1);
		fake_until(f, fake_times(f, "SPAWN") > spawned || blog(f)->backoff.in_row > 0);
		assert_int_equal(blog(f)->backoff.in_row, 0);
	}
	/* The same without having served is a crash. */
	while (fake_count(f, 0, 0) > 0)
		fake_exit(f, fake_nth(f, 0, 0, 0), FAKE_CODE_EXIT_0);
	fake_until(f, blog(f)->backoff.in_row > 0);
}

/* At a steady load it comes and goes: counted and shown each time, said every ten seconds at most. */
static void what_flaps_is_said_once(void **state)
{
	struct fake *f = *state;
	struct episode *e;

	up(f, elastic, 100);
	e = &blog(f)->episodes[EPISODE_AT_MAX];
	for (unsigned i = 1; i <= 3; i++) {
		episode_note(blog(f), EPISODE_AT_MAX, true);
		episode_note(blog(f), EPISODE_AT_MAX, true);
		assert_true(e->said);
		assert_int_equal(e->logged, i == 1);
		assert_int_equal(e->times, i - 1);
		episode_note(blog(f), EPISODE_AT_MAX, false);
		assert_false(e->said || e->logged);
	}
	episode_note(blog(f), EPISODE_AT_MAX, true);
	episode_note(blog(f), EPISODE_AT_MAX, true);
	assert_false(e->logged);
	e->logged_ms -= EPISODE_AGAIN_MS; /* it lasts */
	episode_note(blog(f), EPISODE_AT_MAX, true);
	assert_true(e->said && e->logged);
	assert_int_equal(e->times, 0);
	episode_note(blog(f), EPISODE_AT_MAX, false);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)
	const struct CMUnitTest tests[] = {
		TEST(grows_and_shrinks), TEST(stays_below_max), TEST(wakes_from_sleep),        TEST(held_by_the_total),
		TEST(idle_is_idle),      TEST(short_lived),     TEST(what_flaps_is_said_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
