/* The control socket: commands that wait until they are done, and clients that say nothing, flood or lie. */
#include "tests/unit/manager/fake_launcher.h"

#include <poll.h>
#include <sys/mman.h>

#include "fcgipm/wire/control.h"
#include "fcgipm/wire/status.h"

struct peer {
	int fd;
	struct wire_dgram d;
	struct wire_wr w;
	char notes[4096], text[8192];
	uint32_t code;
	bool done, closed, leased;
	int changed; /* times that it was told so */
	int answer_fd, lease_fds;
};

static struct pool *blog(struct fake *f)
{
	return manager_pool(f->m, "blog");
}

static void up(struct fake *f)
{
	fake_hello(f, -1);
	fake_settings(f, 100);
	fake_pool(f, "blog", 1, 0, NULL);
	fake_go(f);
	fake_until(f, f->m->running && pool_census(blog(f)).ready == 2 && fake_asked(f, "NOTICE 0\n"));
	fake_forget(f);
}

static struct peer *peer_new(struct fake *f)
{
	struct peer *p = calloc(1, sizeof(*p));
	struct sockaddr_un a;
	socklen_t len = sizeof(a);

	assert_non_null(p);
	assert_int_equal(getsockname(f->control, (struct sockaddr *)&a, &len), 0);
	p->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	p->answer_fd = -1;
	assert_int_equal(connect(p->fd, (struct sockaddr *)&a, len), 0);
	return p;
}

static void peer_free(struct peer *p)
{
	close(p->fd);
	fp_close(&p->answer_fd);
	free(p);
}

static void ask(struct peer *p, uint16_t type)
{
	p->done = false;
	wire_begin(&p->d, &p->w, type, 7);
}

static void ask_send(struct peer *p)
{
	assert_int_equal(wire_end(&p->d, &p->w), 0);
	assert_int_equal(wire_send(p->fd, &p->d, NULL, 0), 0);
}

static void ask_pool(struct peer *p, uint16_t type, const char *pool, bool no_wait)
{
	ask(p, type);
	wire_put_c_pool(&p->w, &(struct wire_c_pool){.pool = pool, .no_wait = no_wait});
	ask_send(p);
}

static void peer_take(struct peer *p)
{
	struct wire_rd r = wire_body(&p->d);
	struct wire_c_note note;
	struct wire_c_done done;

	if (p->d.type == WIRE_C_CHANGED) {
		assert_int_equal(p->d.seq, 0);
		p->changed++;
		return;
	}
	assert_int_equal(p->d.seq, 7);
	if (p->d.type == WIRE_C_NOTE) {
		assert_true(wire_read_c_note(&r, &note));
		strncat(p->notes, note.text, sizeof(p->notes) - strlen(p->notes) - 1);
	} else if (p->d.type == WIRE_C_LEASED) {
		p->leased = true;
		p->lease_fds = (int)p->d.nfds;
	} else {
		assert_int_equal(p->d.type, WIRE_C_DONE);
		assert_true(wire_read_c_done(&r, &done));
		p->done = true;
		p->code = done.code;
		snprintf(p->text, sizeof(p->text), "%s", done.text);
		fp_close(&p->answer_fd);
		p->answer_fd = wire_take_fd(&p->d, 0);
	}
}

static bool heard(struct peer *p)
{
	int r;

	while ((r = wire_recv(p->fd, &p->d)) == 1) {
		peer_take(p);
		wire_dgram_close(&p->d);
	}
	p->closed = r == 0 || r == -ECONNRESET;
	return p->done || p->closed;
}

static void status(void **state)
{
	struct fake *f = *state;
	struct peer *p = peer_new(f);
	const void *at;
	size_t len;
	struct wire_rd r;
	struct wire_status_manager m;
	struct wire_status_pool s;

	up(f);
	ask_pool(p, WIRE_C_STATUS, "", false);
	fake_until(f, heard(p));
	assert_int_equal(p->code, 0);
	assert_int_equal(fp_memfd_map(p->answer_fd, 1 << 20, &at, &len), 0);
	r = (struct wire_rd){.at = at, .len = len};
	assert_int_equal(wire_get_u32(&r), WIRE_STATUS_MAGIC);
	assert_true(wire_read_status_manager(&r, &m));
	assert_int_equal(wire_get_u32(&r), 1);
	assert_true(wire_read_status_pool(&r, &s));
	assert_string_equal(s.name, "blog");
	assert_string_equal(s.state, "ready");
	assert_string_equal(s.start, "exec");
	assert_int_equal(s.total, 2);
	assert_int_equal(s.idle + s.busy + s.booting + s.retiring, s.total);
	assert_true(s.served == WIRE_UNKNOWN);
	assert_int_equal(wire_get_u32(&r), 2); /* pids */
	(void)wire_get_i32(&r);
	(void)wire_get_i32(&r);
	assert_int_equal(wire_get_u32(&r), 0); /* notes */
	assert_int_equal(wire_get_u32(&r), 0); /* alarms */
	assert_int_equal(wire_get_u32(&r), 1); /* decisions */
	assert_non_null(strstr(wire_get_str(&r), " s ago: 2 more, 0 to 2 workers: workers.min (0 waited, 0 were served)"));
	assert_int_equal(wire_get_u32(&r), 0); /* profiles */
	assert_true(wire_done(&r));
	munmap((void *)(uintptr_t)at, len);
	ask_pool(p, WIRE_C_STATUS, "wiki", false);
	fake_until(f, heard(p));
	assert_int_equal(p->code, 1);
	peer_free(p);
}

static void restart_waits(void **state)
{
	struct fake *f = *state;
	struct peer *p = peer_new(f);

	up(f);
	f->retire = WIRE_LOOK_SERVING;
	ask_pool(p, WIRE_C_RESTART, "blog", false);
	fake_until(f, fake_count(f, 0, 2) == 2);
	fake_wait(f, 1300);
	assert_false(heard(p));
	assert_non_null(strstr(p->notes, "is still serving"));
	f->retire = WIRE_LOOK_SIGNALLED;
	fake_until(f, heard(p));
	assert_int_equal(p->code, 0);
	assert_int_equal(pool_census(blog(f)).old_accepting, 0);
	peer_free(p);
}

static void restart_that_fails(void **state)
{
	struct fake *f = *state;
	struct peer *p = peer_new(f);

	up(f);
	f->dies_at_boot = 1;
	ask_pool(p, WIRE_C_RESTART, "blog", false);
	fake_until(f, heard(p));
	assert_int_equal(p->code, 1);
	assert_non_null(strstr(p->text, "no such database"));
	assert_int_equal(fake_count(f, 0, 1), 2);
	peer_free(p);
}

static void no_wait(void **state)
{
	struct fake *f = *state;
	struct peer *p = peer_new(f);

	up(f);
	f->look = WIRE_LOOK_BOOTING;
	ask_pool(p, WIRE_C_RESTART, "blog", true);
	fake_until(f, heard(p));
	assert_int_equal(p->code, 0);
	fake_until(f, fake_asked(f, "SPAWN blog 1 2\n"));
	peer_free(p);
}

static void scale(struct peer *p, int min, int max)
{
	ask(p, WIRE_C_SCALE);
	wire_put_c_scale(&p->w, &(struct wire_c_scale){.pool = "blog", .min = min, .max = max});
	ask_send(p);
}

static void scale_within_bounds(void **state)
{
	struct fake *f = *state;
	struct peer *p = peer_new(f);

	up(f);
	scale(p, 3, -1);
	fake_until(f, heard(p));
	assert_int_equal(p->code, 1); /* max is 2 */
	scale(p, -1, 3);
	fake_until(f, heard(p));
	assert_int_equal(p->code, 1); /* above the configuration's max */
	scale(p, 1, 1);
	fake_until(f, heard(p));
	assert_int_equal(p->code, 0);
	fake_until(f, fake_count(f, 0, 0) == 1);
	scale(p, 2, 2);
	fake_until(f, heard(p));
	assert_int_equal(p->code, 0);
	assert_int_equal(pool_census(blog(f)).ready, 2);
	peer_free(p);
}

static void stop_then_start(void **state)
{
	struct fake *f = *state;
	struct peer *p = peer_new(f);

	up(f);
	ask_pool(p, WIRE_C_STOP, "blog", false);
	fake_until(f, heard(p));
	assert_int_equal(p->code, 0);
	assert_int_equal(fake_count(f, 0, 0), 0);
	ask_pool(p, WIRE_C_RESTART, "blog", false);
	fake_until(f, heard(p));
	assert_int_equal(p->code, 1);
	ask_pool(p, WIRE_C_START, "blog", false);
	fake_until(f, heard(p));
	assert_int_equal(p->code, 0);
	assert_int_equal(pool_census(blog(f)).ready, 2);
	peer_free(p);
}

static void recycle(struct pool_settings *s)
{
	assert_int_equal(settings_put_text(&s->directory, "/srv"), 0);
}

static void ask_reload(struct peer *p)
{
	ask(p, WIRE_C_RELOAD);
	wire_put_c_reload(&p->w, &(struct wire_c_reload){.no_wait = 0});
	ask_send(p);
}

/* The launcher's answer to RELOAD: the request's number is what it was. */
static void answer_reload(struct fake *f, int code, const char *text)
{
	FAKE_SEND(f, ANSWER, answer, f->reload_seq, (&(struct wire_answer){.code = code, .text = text}), NULL, 0);
}

static void reload(void **state)
{
	struct fake *f = *state;
	struct peer *p = peer_new(f), *q = peer_new(f);

	up(f);
	ask_reload(p);
	fake_until(f, fake_asked(f, "RELOAD\n"));
	assert_true(fake_order(f, "NOTICE 1\n", "RELOAD\n"));
	ask_reload(q); /* answered by the next one */
	f->look = WIRE_LOOK_BOOTING;
	fake_pool(f, "blog", 2, 1, recycle);
	fake_pool(f, "wiki", 2, 1, NULL);
	answer_reload(f, 0, "");
	fake_until(f, fake_count(f, 2, 0) == 4);
	fake_wait(f, 30);
	assert_false(heard(p));
	f->look = WIRE_LOOK_IDLE;
	fake_until(f, heard(p));
	assert_int_equal(p->code, 0);
	assert_int_equal(fake_count(f, 1, 0), 0);
	assert_int_equal(fake_count(f, 2, 0), 4);
	assert_true(fake_asked(f, "COMMIT wiki 2\n"));
	assert_true(fake_asked(f, "NOTICE 0\n"));
	assert_false(heard(q));
	fake_until(f, fake_times(f, "RELOAD\n") == 2);
	answer_reload(f, 78, "pools.yaml:1:1: no\n");
	fake_until(f, heard(q));
	assert_int_equal(q->code, 78);
	assert_string_equal(q->text, "pools.yaml:1:1: no\n");
	peer_free(p);
	peer_free(q);
}

static void reload_that_fails(void **state)
{
	struct fake *f = *state;
	struct peer *p = peer_new(f);

	up(f);
	f->dies_at_boot = 2;
	ask_reload(p);
	fake_until(f, fake_asked(f, "RELOAD\n"));
	fake_pool(f, "blog", 2, 1, recycle);
	answer_reload(f, 0, "");
	fake_until(f, heard(p));
	assert_int_equal(p->code, 1);
	assert_non_null(strstr(p->text, "pool blog: worker"));
	assert_int_equal(fake_count(f, 1, 1), 2);
	peer_free(p);
}

static void client_gone(void **state)
{
	struct fake *f = *state;
	struct peer *p = peer_new(f);

	up(f);
	f->look = WIRE_LOOK_BOOTING;
	ask_pool(p, WIRE_C_RESTART, "blog", false);
	fake_until(f, fake_count(f, 0, 2) == 2);
	peer_free(p);
	fake_until(f, f->m->control.count == 0);
	f->look = WIRE_LOOK_IDLE;
	fake_until(f, fake_count(f, 0, 1) == 0); /* what was asked for is done all the same */
	assert_null(f->m->ops.first);
}

static void lies(void **state)
{
	struct fake *f = *state;
	struct peer *p = peer_new(f), *q = peer_new(f), *r = peer_new(f);
	char flood[2000];

	up(f);
	ask(p, 99);
	ask_send(p);
	fake_until(f, heard(p) && p->closed);
	memset(flood, 'x', sizeof(flood));
	ask(q, WIRE_C_STATUS);
	wire_put_blob(&q->w, (struct wire_blob){(const uint8_t *)flood, sizeof(flood)});
	ask_send(q);
	fake_until(f, heard(q) && q->closed);
	assert_int_equal(send(r->fd, "x", 1, 0), 1);
	fake_until(f, heard(r) && r->closed);
	assert_int_equal(f->m->control.count, 0);
	assert_int_equal(pool_census(blog(f)).ready, 2);
	peer_free(p);
	peer_free(q);
	peer_free(r);
}

/* One that asks and never reads loses its connection; it costs a bounded amount, and nobody else anything. */
static void deaf(void **state)
{
	struct fake *f = *state;
	struct peer *p = peer_new(f), *q = peer_new(f);
	unsigned asked = 0;

	up(f);
	while (asked < 100000 && f->m->control.count > 0) {
		ask(p, WIRE_C_STATUS);
		wire_put_c_pool(&p->w, &(struct wire_c_pool){.pool = "nobody", .no_wait = 0});
		assert_int_equal(wire_end(&p->d, &p->w), 0);
		if (wire_send(p->fd, &p->d, NULL, 0) == 0)
			asked++;
		fake_turn(f);
		if (f->m->control.count == 1)
			break;
	}
	assert_int_equal(f->m->control.count, 1);
	ask_pool(q, WIRE_C_STATUS, "", false);
	fake_until(f, heard(q));
	assert_int_equal(q->code, 0);
	peer_free(p);
	peer_free(q);
}

static void lease(void **state)
{
	struct fake *f = *state;
	struct peer *p = peer_new(f);

	up(f);
	ask_pool(p, WIRE_C_LEASE, "blog", false);
	fake_until(f, heard(p));
	assert_int_equal(p->code, 0);
	assert_true(p->leased);
	p->leased = false;
	ask_pool(p, WIRE_C_LEASE, "wiki", false);
	fake_until(f, heard(p));
	assert_int_equal(p->code, 1);
	assert_false(p->leased);
	peer_free(p);
}

static void live(struct pool_settings *s)
{
	s->queue_timeout += 1000;
}

static void change(struct fake *f, uint32_t generation)
{
	fake_pool(f, "blog", generation, 1, live);
	fake_until(f, blog(f)->current->generation == generation);
}

/* Told once, to who asked, until it asks again; a refusal counts: the answer may be another now. */
static void lease_changed_is_told(void **state)
{
	struct fake *f = *state;
	struct peer *p = peer_new(f), *q = peer_new(f), *silent = peer_new(f);

	up(f);
	ask_pool(p, WIRE_C_LEASE, "blog", false);
	fake_until(f, heard(p));
	ask_pool(q, WIRE_C_LEASE, "wiki", false);
	fake_until(f, heard(q));
	change(f, 2);
	fake_until(f, (heard(p), p->changed == 1));
	fake_until(f, (heard(q), q->changed == 1));
	change(f, 3);
	fake_wait(f, 20);
	assert_true(heard(p) && p->changed == 1);
	ask_pool(p, WIRE_C_LEASE, "blog", false);
	fake_until(f, heard(p));
	change(f, 4);
	fake_until(f, (heard(p), p->changed == 2));
	assert_true(heard(q) && q->changed == 1);
	assert_true(!heard(silent) && silent->changed == 0);
	peer_free(p);
	peer_free(q);
	peer_free(silent);
}

static void shutdown_waits(void **state)
{
	struct fake *f = *state;
	struct peer *p = peer_new(f);

	up(f);
	ask(p, WIRE_C_SHUTDOWN);
	wire_put_c_shutdown(&p->w, &(struct wire_c_shutdown){.now = 0});
	ask_send(p);
	fake_until(f, fake_asked(f, "END 0\n"));
	assert_false(heard(p));
	FAKE_SEND(f, QUIT, end, 0, &(struct wire_end){.how = 0}, NULL, 0);
	fake_until(f, fake_asked(f, "END 2\n"));
	fake_until(f, heard(p));
	assert_int_equal(p->code, 0);
	peer_free(p);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)
	const struct CMUnitTest tests[] = {
		TEST(status),
		TEST(restart_waits),
		TEST(restart_that_fails),
		TEST(no_wait),
		TEST(scale_within_bounds),
		TEST(stop_then_start),
		TEST(reload),
		TEST(reload_that_fails),
		TEST(client_gone),
		TEST(lies),
		TEST(deaf),
		TEST(lease),
		TEST(lease_changed_is_told),
		TEST(shutdown_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
