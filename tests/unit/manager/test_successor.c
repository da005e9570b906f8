/* A manager that takes over from one that was killed. */
#include "tests/unit/manager/fake_launcher.h"

#include "fcgipm/manager/crew.h"
#include "fcgipm/manager/transition.h"

static struct pool *blog(struct fake *f)
{
	return manager_pool(f->m, "blog");
}

static void recycle(struct pool_settings *s)
{
	assert_int_equal(settings_put_text(&s->directory, "/srv"), 0);
}

static void wide(struct pool_settings *s)
{
	s->workers_max = 8;
}

static void tell_listener(struct fake *f, uint32_t generation)
{
	struct wire_listener m = {.pool = "blog", .generation = generation, .address = f->path};

	FAKE_SEND(f, LISTENER, listener, 0, &m, &f->listener, 1);
}

static void tell_workers(struct fake *f)
{
	for (unsigned i = 0; i < FAKE_WORKERS; i++) {
		struct fake_worker *w = &f->workers[i];
		struct wire_worker m = {
			.worker = w->id,
			.pool = w->pool,
			.generation = w->generation,
			.tag = w->tag,
			.pid = 1000000 + (int)w->id,
			.spawned_ms = fp_now_ms() - 3600000,
			.stage = WIRE_STAGE_EXECED,
		};

		if (w->id != 0)
			FAKE_SEND(f, WORKER, worker, 0, &m, &w->output[0], 1);
	}
}

/* Kills the manager as SIGKILL would, from the launcher's point of view, and starts another with what the launcher holds.  The requests of the dead one
 * that lie in the socket are still served. */
static void kill_manager(struct fake *f)
{
	int state = fcntl(f->m->state.fd, F_DUPFD_CLOEXEC, 3);

	while (wire_recv(f->sock, &f->in) == 1)
		fake_take(f);
	manager_free(f->m);
	close(f->sock);
	f->control = -1;
	fake_forget(f);
	f->control = fake_listener((char[64]){0}, 64, SOCK_SEQPACKET);
	fake_connect(f);
	fake_hello(f, state);
	fake_settings(f, 100);
	close(state);
}

static void up(struct fake *f, fake_change *change)
{
	fake_hello(f, -1);
	fake_settings(f, 100);
	fake_pool(f, "blog", 1, 0, change);
	fake_go(f);
	fake_until(f, f->m->running && pool_census(blog(f)).ready == pool_min(blog(f)));
}

static void takes_over(void **state)
{
	struct fake *f = *state;
	int64_t at;

	up(f, wide);
	blog(f)->min_override = 4;
	blog(f)->counters.signals = 17;
	state_save(blog(f));
	pool_touch(blog(f));
	fake_until(f, pool_census(blog(f)).ready == 4);
	at = fp_now_ms();
	kill_manager(f);
	fake_pool(f, "blog", 5, 0, wide); /* a later load had the same spec */
	tell_listener(f, 5);
	tell_workers(f);
	fake_go(f);
	fake_until(f, f->m->running && pool_census(blog(f)).ready == 4);
	assert_in_range(fp_now_ms() - at, 0, 200);
	fake_wait(f, 50);
	assert_false(fake_asked(f, "SPAWN"));
	assert_false(fake_asked(f, "RETIRED"));
	assert_false(fake_asked(f, "BIND"));
	assert_false(fake_asked(f, "SIGNAL")); /* an hour old, and not seen ready by us: no boot timeout */
	assert_int_equal(blog(f)->counters.signals, 17);
	assert_int_equal(pool_min(blog(f)), 4);
}

static void goes_on_with_a_restart(void **state)
{
	struct fake *f = *state;

	up(f, NULL);
	f->look = WIRE_LOOK_BOOTING;
	transition_restart(blog(f), "restart");
	fake_until(f, fake_count(f, 0, 2) == 2);
	kill_manager(f);
	fake_pool(f, "blog", 1, 0, NULL);
	tell_listener(f, 1);
	tell_workers(f);
	f->look = WIRE_LOOK_IDLE;
	fake_go(f);
	fake_until(f, fake_count(f, 0, 1) == 0);
	assert_int_equal(fake_count(f, 0, 2), 2);
	assert_false(fake_asked(f, "SPAWN"));
}

static void goes_on_with_a_reload(void **state)
{
	struct fake *f = *state;

	up(f, NULL);
	f->look = WIRE_LOOK_BOOTING;
	fake_pool(f, "blog", 2, 1, recycle);
	fake_until(f, fake_count(f, 2, 0) == 2);
	kill_manager(f);
	fake_pool(f, "blog", 1, 0, NULL);
	fake_pool(f, "blog", 2, 1, recycle);
	tell_listener(f, 1);
	tell_listener(f, 2);
	tell_workers(f);
	f->look = WIRE_LOOK_IDLE;
	fake_go(f);
	fake_until(f, fake_count(f, 1, 0) == 0);
	assert_true(fake_order(f, "COMMIT blog 2\n", "RETIRED blog 1 1\n"));
	assert_int_equal(fake_count(f, 2, 0), 2);
	fake_until(f, fake_asked(f, "NOTICE 0\n"));
}

static void does_not_try_again_what_failed(void **state)
{
	struct fake *f = *state;

	up(f, NULL);
	f->dies_at_boot = 2;
	fake_pool(f, "blog", 2, 1, recycle);
	fake_until(f, fake_asked(f, "UNBIND blog 2 1\n"));
	kill_manager(f);
	fake_pool(f, "blog", 1, 0, NULL);
	fake_pool(f, "blog", 2, 1, recycle);
	tell_listener(f, 1);
	tell_workers(f);
	fake_go(f);
	fake_until(f, fake_asked(f, "NOTICE 0\n"));
	fake_wait(f, 50);
	assert_false(fake_asked(f, "SPAWN"));
	assert_int_equal(fake_count(f, 1, 1), 2);
}

static void goes_on_with_an_ending(void **state)
{
	struct fake *f = *state;

	up(f, NULL);
	f->retire = WIRE_LOOK_SERVING;
	FAKE_SEND(f, QUIT, end, 0, &(struct wire_end){.how = 1}, NULL, 0);
	fake_until(f, f->m->quit == QUIT_NOW);
	kill_manager(f);
	fake_pool(f, "blog", 1, 0, NULL);
	tell_listener(f, 1);
	tell_workers(f);
	f->retire = WIRE_LOOK_SIGNALLED;
	fake_go(f);
	FAKE_SEND(f, QUIT, end, 0, &(struct wire_end){.how = 1}, NULL, 0);
	fake_until(f, fake_asked(f, "END 2\n"));
	assert_int_equal(fake_count(f, 0, 0), 0);
}

static void stopped_stays_stopped(void **state)
{
	struct fake *f = *state;

	up(f, NULL);
	blog(f)->stopped = true;
	state_save(blog(f));
	pool_touch(blog(f));
	fake_until(f, fake_count(f, 0, 0) == 0);
	kill_manager(f);
	fake_pool(f, "blog", 1, 0, NULL);
	tell_listener(f, 1);
	fake_go(f);
	fake_until(f, fake_asked(f, "NOTICE 0\n"));
	fake_wait(f, 30);
	assert_false(fake_asked(f, "SPAWN"));
	assert_true(blog(f)->stopped);
}

/* The manager before us had asked a template for two. */
static void tell_awaited(struct fake *f, uint64_t id, uint32_t slot, int pid, enum wire_stage stage)
{
	struct wire_worker m = {
		.worker = id,
		.pool = "blog",
		.generation = 1,
		.tag = f->workers[0].tag,
		.pid = pid,
		.spawned_ms = fp_now_ms(),
		.stage = (uint8_t)stage,
		.how = WIRE_START_FORK,
		.slot = slot,
	};

	FAKE_SEND(f, WORKER, worker, 0, &m, NULL, 0);
}

static void waits_for_who_is_to_come(void **state)
{
	enum { FIRST = 900, SECOND };
	struct fake *f = *state;

	up(f, wide);
	blog(f)->min_override = 4;
	state_save(blog(f));
	kill_manager(f);
	fake_pool(f, "blog", 1, 0, wide);
	tell_listener(f, 1);
	tell_workers(f);
	tell_awaited(f, FIRST, 40, 0, WIRE_STAGE_STARTING);
	tell_awaited(f, SECOND, 41, 0, WIRE_STAGE_STARTING);
	fake_go(f);
	fake_until(f, f->m->running && pool_census(blog(f)).ready == 2);
	fake_wait(f, 30);
	assert_false(fake_asked(f, "SPAWN"));
	tell_awaited(f, FIRST, 40, 1000900, WIRE_STAGE_EXECED);
	fake_until(f, manager_worker(f->m, FIRST)->pid == 1000900);
	assert_int_equal(manager_worker(f->m, FIRST)->slot, 40);
	tell_awaited(f, SECOND, 41, 0, WIRE_STAGE_KILLED);
	fake_until(f, manager_worker(f->m, SECOND) == NULL);
	fake_until(f, fake_times(f, "SPAWN") == 1);
}

/* What the launcher cannot say ends the manager: it does not go on with half of the truth. */
static void breaks_the_protocol(void **state)
{
	struct fake *f = *state;

	up(f, NULL);
	FAKE_SEND(f, GO, empty, 0, &(struct wire_empty){}, NULL, 0);
	fake_until(f, f->m->link.is_lost);
	assert_int_equal(f->m->exit_code, 1);
}

static void launcher_gone(void **state)
{
	struct fake *f = *state;

	up(f, NULL);
	shutdown(f->sock, SHUT_RDWR);
	fake_until(f, f->m->link.is_lost);
	assert_int_equal(f->m->exit_code, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)
	const struct CMUnitTest tests[] = {
		TEST(takes_over),
		TEST(goes_on_with_a_restart),
		TEST(goes_on_with_a_reload),
		TEST(does_not_try_again_what_failed),
		TEST(goes_on_with_an_ending),
		TEST(stopped_stays_stopped),
		TEST(waits_for_who_is_to_come),
		TEST(breaks_the_protocol),
		TEST(launcher_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
