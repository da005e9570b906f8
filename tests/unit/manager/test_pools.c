/* Pools through their whole life, against a launcher that records what it is asked for. */
#include "tests/unit/manager/fake_launcher.h"

#include "fcgipm/manager/transition.h"

static struct pool *blog(struct fake *f)
{
	return manager_pool(f->m, "blog");
}

static void start(struct fake *f, fake_change *change)
{
	fake_hello(f, -1);
	fake_settings(f, 100);
	fake_pool(f, "blog", 1, 0, change);
	fake_go(f);
	fake_until(f, f->m->running);
}

static const char *state_of(struct fake *f)
{
	struct pool_census c = pool_census(blog(f));

	return pool_state_name(blog(f), &c, 0);
}

static bool is(struct fake *f, const char *state)
{
	return strcmp(state_of(f), state) == 0;
}

static uint32_t ready(struct fake *f)
{
	return pool_census(blog(f)).ready;
}

static void up(struct fake *f, fake_change *change)
{
	start(f, change);
	fake_until(f, ready(f) == pool_min(blog(f)));
	fake_until(f, fake_asked(f, "NOTICE 0\n"));
	fake_forget(f);
}

static void first_start(void **state)
{
	struct fake *f = *state;

	start(f, NULL);
	fake_until(f, is(f, "ready"));
	assert_int_equal(fake_times(f, "BIND blog 1 0\n"), 1);
	assert_int_equal(fake_times(f, "SPAWN blog 1 1\n"), 2);
	assert_int_equal(fake_times(f, "NOTICE 0\n"), 1);
	fake_wait(f, 50);
	assert_int_equal(fake_times(f, "\n"), 4); /* and then nothing more */
}

static void cannot_bind(void **state)
{
	struct fake *f = *state;

	f->bind_code = EADDRINUSE;
	start(f, NULL);
	fake_until(f, fake_asked(f, "NOTICE 0\n")); /* ready all the same: the others run */
	assert_string_equal(blog(f)->last_error, "the launcher says no");
	f->bind_code = 0;
	fake_until(f, is(f, "ready")); /* tried again, damped */
}

static void recycle(struct pool_settings *s)
{
	assert_int_equal(settings_put_text(&s->directory, "/srv"), 0);
}

static void new_generation(void **state)
{
	struct fake *f = *state;

	up(f, NULL);
	f->look = WIRE_LOOK_BOOTING;
	fake_pool(f, "blog", 2, 1, recycle);
	fake_until(f, fake_count(f, 2, 0) == 2);
	fake_wait(f, 30);
	assert_false(fake_asked(f, "COMMIT")); /* not before the new ones are ready */
	assert_false(fake_asked(f, "RETIRED"));
	f->look = WIRE_LOOK_IDLE;
	fake_until(f, fake_count(f, 1, 0) == 0);
	assert_true(fake_order(f, "BIND blog 2 0\n", "SPAWN blog 2 1\n"));
	assert_true(fake_order(f, "SPAWN blog 2 1\n", "COMMIT blog 2\n"));
	assert_true(fake_order(f, "COMMIT blog 2\n", "RETIRED blog 1 1\n"));
	assert_int_equal(fake_count(f, 2, 0), 2);
	fake_until(f, is(f, "ready"));
	assert_int_equal(blog(f)->counters.replaced, 2);
}

static void new_generation_dies(void **state)
{
	struct fake *f = *state;

	up(f, NULL);
	f->dies_at_boot = 2;
	fake_pool(f, "blog", 2, 1, recycle);
	fake_until(f, fake_asked(f, "UNBIND blog 2 1\n"));
	fake_wait(f, 50);
	assert_false(fake_asked(f, "COMMIT"));
	assert_int_equal(fake_count(f, 1, 1), 2); /* the old ones were not touched */
	assert_int_equal(fake_count(f, 2, 0), 0);
	assert_true(is(f, "ready"));
	assert_int_equal(blog(f)->failed_generation, 2);
	assert_non_null(strstr(blog(f)->last_error, "code 1 before its first accept; last output: no such database"));
	assert_int_equal(blog(f)->backoff.in_row, 0);
	/* The next attempt is a new one. */
	f->dies_at_boot = 0;
	fake_pool(f, "blog", 3, 1, recycle);
	fake_until(f, fake_count(f, 1, 0) == 0 && fake_count(f, 3, 0) == 2);
}

static void live(struct pool_settings *s)
{
	s->stop_timeout = 1234;
	s->workers_max = 5;
	s->workers_min = 3;
}

static void live_change(void **state)
{
	struct fake *f = *state;

	up(f, NULL);
	fake_pool(f, "blog", 2, 1, live);
	fake_until(f, fake_asked(f, "COMMIT blog 2\n"));
	fake_until(f, ready(f) == 3);
	assert_false(fake_asked(f, "RETIRED"));
	assert_int_equal(fake_times(f, "SPAWN blog 2 1\n"), 1);
	assert_int_equal(fake_count(f, 1, 1), 2);
}

static void restart(void **state)
{
	struct fake *f = *state;

	up(f, NULL);
	transition_restart(blog(f), "restart");
	fake_until(f, fake_count(f, 0, 1) == 0 && ready(f) == 2);
	assert_int_equal(fake_times(f, "SPAWN blog 1 2\n"), 2);
	assert_int_equal(fake_times(f, "RETIRED blog 1 1\n"), 2);
	assert_true(fake_order(f, "SPAWN blog 1 2\n", "RETIRED blog 1 1\n"));
	assert_false(fake_asked(f, "COMMIT"));
}

static void restart_fails(void **state)
{
	struct fake *f = *state;

	up(f, NULL);
	f->dies_at_boot = 1;
	transition_restart(blog(f), "restart");
	fake_until(f, blog(f)->tag == 1);
	f->dies_at_boot = 0;
	fake_wait(f, 30);
	assert_int_equal(fake_count(f, 1, 1), 2);
	assert_true(is(f, "ready"));
	transition_restart(blog(f), "restart");
	assert_int_equal(blog(f)->tag, 3); /* never a mark that was used */
	fake_until(f, fake_count(f, 0, 1) == 0 && ready(f) == 2);
}

static void busy_worker_is_waited_for(void **state)
{
	struct fake *f = *state;

	up(f, NULL);
	f->retire = WIRE_LOOK_SERVING;
	transition_restart(blog(f), "restart");
	fake_until(f, ready(f) == 2 && blog(f)->transition.stage == TRANSITION_NONE);
	fake_wait(f, 1200);
	assert_int_equal(fake_count(f, 0, 1), 2); /* busy_signal is none: never cut */
	assert_int_equal(f->signals_sent, 0);
	assert_int_equal(pool_census(blog(f)).old_accepting, 2);
	f->retire = WIRE_LOOK_SIGNALLED;
	fake_until(f, fake_count(f, 0, 1) == 0);
}

static void with_busy_signal(struct pool_settings *s)
{
	s->stop_busy_signal = 10;
	s->stop_timeout = 100;
}

static void busy_signal_then_kill(void **state)
{
	struct fake *f = *state;

	up(f, with_busy_signal);
	f->retire = WIRE_LOOK_SERVING;
	transition_restart(blog(f), "restart");
	fake_until(f, fake_count(f, 0, 1) == 0);
	assert_true(fake_order(f, "SIGNAL 10\n", "SIGNAL 9\n"));
	assert_int_equal(fake_times(f, "SIGNAL 9\n"), 2);
}

static void damping(struct pool_settings *s)
{
	s->workers_min = s->workers_max = 1;
	s->restart_delay = 200;
}

static void crash_is_damped(void **state)
{
	struct fake *f = *state;
	int64_t at;

	up(f, damping);
	at = fp_now_ms();
	fake_exit(f, fake_nth(f, 0, 1, 1), 11); /* SIGSEGV */
	fake_until(f, fake_count(f, 1, 1) == 1);
	assert_in_range(fp_now_ms() - at, 199, 1500);
	assert_int_equal(blog(f)->counters.signals, 1);
	assert_non_null(strstr(blog(f)->last_error, "signal SEGV"));
	fake_until(f, ready(f) == 1);
	at = fp_now_ms();
	fake_exit(f, fake_nth(f, 0, 1, 1), FAKE_CODE_EXIT_0); /* it has served */
	fake_until(f, fake_count(f, 1, 1) == 1);
	assert_in_range(fp_now_ms() - at, 0, 150);
	assert_int_equal(blog(f)->backoff.in_row, 1);
}

static void gives_up(struct pool_settings *s)
{
	damping(s);
	s->restart_delay = 1;
	s->restart_give_up_after = 3;
}

static void give_up(void **state)
{
	struct fake *f = *state;

	f->dies_at_boot = 1;
	start(f, gives_up);
	fake_until(f, is(f, "failed"));
	fake_wait(f, 50);
	assert_int_equal(fake_times(f, "SPAWN"), 3);
	assert_int_equal(blog(f)->counters.exits, 3);
	f->dies_at_boot = 0;
	transition_restart(blog(f), "restart"); /* by hand it may try again */
	fake_until(f, is(f, "ready"));
}

static void no_room(void **state)
{
	struct fake *f = *state;

	f->spawn_code = EAGAIN;
	start(f, NULL);
	fake_until(f, fake_asked(f, "SPAWN"));
	fake_wait(f, 30);
	assert_int_equal(fake_times(f, "SPAWN"), 2); /* no hammering */
	assert_int_equal(blog(f)->backoff.in_row, 0);
	f->spawn_code = 0;
	fake_until(f, is(f, "ready"));
}

static void boot_timeout(struct pool_settings *s)
{
	damping(s);
	s->workers_boot_timeout = 60;
}

static void never_ready(void **state)
{
	struct fake *f = *state;

	f->look = WIRE_LOOK_BOOTING;
	start(f, boot_timeout);
	fake_until(f, fake_asked(f, "SIGNAL 9\n"));
	fake_until(f, blog(f)->counters.timeouts == 1);
	assert_int_equal(blog(f)->backoff.in_row, 1);
	assert_non_null(strstr(blog(f)->last_error, "boot_timeout"));
}

static void lifetime(struct pool_settings *s)
{
	s->workers_min = 1;
	s->workers_max = 2;
	s->workers_max_lifetime = 150;
}

static void replaced_when_old(void **state)
{
	struct fake *f = *state;

	up(f, lifetime);
	fake_until(f, fake_asked(f, "RETIRED"));
	assert_true(fake_order(f, "SPAWN", "RETIRED"));
	fake_until(f, blog(f)->counters.lifetimes >= 1);
	assert_true(fake_count(f, 1, 1) >= 1);
}

static void lifetime_fixed(struct pool_settings *s)
{
	lifetime(s);
	s->workers_max = 1;
}

static void replaced_when_old_at_max(void **state)
{
	struct fake *f = *state;

	up(f, lifetime_fixed);
	fake_until(f, fake_asked(f, "RETIRED"));
	assert_true(fake_order(f, "SPAWN", "RETIRED")); /* one more than max, for as long as one replaces the other */
}

static void stop_and_start(void **state)
{
	struct fake *f = *state;

	up(f, NULL);
	blog(f)->stopped = true;
	pool_touch(blog(f));
	fake_until(f, fake_count(f, 0, 0) == 0);
	assert_true(is(f, "stopped"));
	assert_false(fake_asked(f, "UNBIND")); /* who connects waits */
	blog(f)->stopped = false;
	pool_touch(blog(f));
	fake_until(f, is(f, "ready"));
}

static void gone(struct fake *f)
{
	FAKE_SEND(f, GONE_POOL, gone_pool, 0, &(struct wire_gone_pool){.pool = "blog"}, NULL, 0);
}

static void removed(void **state)
{
	struct fake *f = *state;

	up(f, NULL);
	gone(f);
	fake_until(f, f->m->pool_count == 0);
	assert_true(fake_order(f, "UNBIND blog 1 0\n", "RETIRED"));
	assert_true(fake_order(f, "RETIRED", "UNBIND blog 1 1\n"));
	assert_true(fake_order(f, "UNBIND blog 1 1\n", "COMMIT blog 0\n"));
}

/* What waits in the queue of a pool that goes is served first. */
static void removed_after_its_queue(void **state)
{
	struct fake *f = *state;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), served;

	up(f, NULL);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", f->path);
	assert_int_equal(connect(client, (struct sockaddr *)&a, sizeof(a)), 0);
	gone(f);
	fake_until(f, fake_asked(f, "UNBIND blog 1 0\n"));
	fake_wait(f, 60);
	assert_false(fake_asked(f, "RETIRED"));
	served = accept(f->listener, NULL, NULL);
	fake_until(f, f->m->pool_count == 0);
	close(served);
	close(client);
}

static void comes_back(void **state)
{
	struct fake *f = *state;

	up(f, NULL);
	f->retire = WIRE_LOOK_SERVING;
	gone(f);
	fake_until(f, fake_asked(f, "UNBIND blog 1 0\n"));
	fake_pool(f, "blog", 2, 0, NULL);
	f->retire = WIRE_LOOK_SIGNALLED;
	fake_until(f, fake_asked(f, "BIND blog 1 0\n"));
	fake_until(f, is(f, "ready") && fake_count(f, 0, 0) == 2);
	assert_false(fake_asked(f, "COMMIT"));
	assert_int_equal(f->m->pool_count, 1);
}

static void end(void **state)
{
	struct fake *f = *state;

	up(f, NULL);
	FAKE_SEND(f, QUIT, end, 0, &(struct wire_end){.how = 0}, NULL, 0);
	fake_until(f, fake_asked(f, "END 2\n"));
	assert_int_equal(fake_times(f, "RETIRED"), 2);
	assert_true(fake_order(f, "UNBIND blog 1 0\n", "RETIRED"));
	assert_true(fake_order(f, "RETIRED", "END 2\n"));
}

static void shut_down_listener(void **state)
{
	struct fake *f = *state;
	int old;

	up(f, NULL);
	shutdown(f->listener, SHUT_RDWR);
	old = f->listener;
	unlink(f->path);
	f->listener = fake_listener(f->path, sizeof(f->path), SOCK_STREAM);
	fake_until(f, fake_asked(f, "BIND blog 1 1\n"));
	fake_until(f, fake_count(f, 0, 1) == 0 && is(f, "ready"));
	assert_int_equal(fake_times(f, "SPAWN blog 1 2\n"), 2);
	close(old);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)
	const struct CMUnitTest tests[] = {
		TEST(first_start),
		TEST(cannot_bind),
		TEST(new_generation),
		TEST(new_generation_dies),
		TEST(live_change),
		TEST(restart),
		TEST(restart_fails),
		TEST(busy_worker_is_waited_for),
		TEST(busy_signal_then_kill),
		TEST(crash_is_damped),
		TEST(give_up),
		TEST(no_room),
		TEST(never_ready),
		TEST(replaced_when_old),
		TEST(replaced_when_old_at_max),
		TEST(stop_and_start),
		TEST(removed),
		TEST(removed_after_its_queue),
		TEST(comes_back),
		TEST(end),
		TEST(shut_down_listener),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
