/* Calls: notes, the end, and managers that die, dawdle or talk nonsense. */
#include "tests/unit/client/fake_manager.h"

#include <errno.h>
#include <poll.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/client/control.h"

struct heard {
	int notes;
	char last[64];
};

static struct wire_dgram script_got;

static void on_note(void *ctx, const char *text)
{
	struct heard *h = ctx;

	h->notes++;
	snprintf(h->last, sizeof(h->last), "%s", text);
}

static int call_for(fake_script *script, int64_t deadline_ms, struct heard *h, struct client_answer *a, struct fp_err *err)
{
	struct fake f;
	struct fcgipm_client *c = NULL;
	const struct client_wait wait = {.deadline_ms = deadline_ms, .note = on_note, .ctx = h};
	static char text[64];
	int r;

	fake_start(&f, script);
	assert_int_equal(client_open(f.path, &c, err), 0);
	wire_put_c_pool(client_begin(c, WIRE_C_RESTART), &(const struct wire_c_pool){.pool = "blog"});
	r = client_call(c, &wait, a, err);
	if (r == 0) {
		snprintf(text, sizeof(text), "%s", a->text);
		a->text = text;
		fp_close(&a->fd);
	}
	client_close(&c);
	assert_null(c);
	fake_stop(&f);
	return r;
}

static void script_good(int fd)
{
	uint32_t seq = fake_asked(fd, &script_got, WIRE_C_RESTART);

	fake_note(fd, seq + 7, "of another call");
	fake_note(fd, seq, "waiting");
	fake_note(fd, seq, "still waiting");
	fake_done(fd, seq, 1, "no such pool", -1);
}

static void test_notes_and_done(void **state)
{
	struct heard h = {.notes = 0};
	struct client_answer a = {.fd = -1};
	struct fp_err err = {.code = 0};

	(void)state;
	assert_int_equal(call_for(script_good, CLIENT_FOREVER, &h, &a, &err), 0);
	assert_int_equal(a.code, 1);
	assert_string_equal(a.text, "no such pool");
	assert_int_equal(h.notes, 2);
	assert_string_equal(h.last, "still waiting");
}

static void script_dies(int fd)
{
	fake_note(fd, fake_asked(fd, &script_got, WIRE_C_RESTART), "begun");
}

static void test_manager_dies(void **state)
{
	struct heard h = {.notes = 0};
	struct client_answer a = {.code = 99};
	struct fp_err err = {.code = 0};

	(void)state;
	assert_int_equal(call_for(script_dies, CLIENT_FOREVER, &h, &a, &err), -ECONNRESET);
	assert_int_equal(a.code, 99);
	assert_int_equal(h.notes, 1);
	assert_non_null(strstr(err.text, "went away"));
}

static void script_silent(int fd)
{
	fake_asked(fd, &script_got, WIRE_C_RESTART);
	while (wire_recv(fd, &script_got) == 1)
		;
}

static void test_timeout(void **state)
{
	struct heard h = {.notes = 0};
	struct client_answer a = {.code = 0};
	struct fp_err err = {.code = 0};
	int64_t before = fp_now_ms();

	(void)state;
	assert_int_equal(call_for(script_silent, before + 30, &h, &a, &err), -ETIMEDOUT);
	assert_in_range(fp_now_ms() - before, 30, 5000);
}

static void script_slow(int fd)
{
	uint32_t seq = fake_asked(fd, &script_got, WIRE_C_RESTART);

	fake_note(fd, seq, "begun");
	fake_asked(fd, &script_got, WIRE_C_STOP);
	fake_done(fd, script_got.seq, 0, "stopped", -1);
}

/* What has not come is no failure: the caller goes on with other things. */
static void test_ask_now_await_later(void **state)
{
	struct heard h = {.notes = 0};
	const struct client_wait wait = {.deadline_ms = 0, .note = on_note, .ctx = &h};
	struct client_answer a = {.code = 99};
	struct fcgipm_client *c = NULL;
	struct pollfd p = {.events = POLLIN};
	struct fake f;

	(void)state;
	fake_start(&f, script_slow);
	assert_int_equal(client_open(f.path, &c, NULL), 0);
	wire_put_c_pool(client_begin(c, WIRE_C_RESTART), &(const struct wire_c_pool){.pool = "blog"});
	assert_int_equal(client_ask(c, NULL), 0);
	p.fd = client_fd(c);
	while (h.notes == 0) {
		assert_int_equal(poll(&p, 1, 5000), 1);
		assert_int_equal(client_await(c, &wait, &a, NULL), -ETIMEDOUT);
	}
	assert_int_equal(client_await(c, &wait, &a, NULL), -ETIMEDOUT);
	wire_put_c_pool(client_begin(c, WIRE_C_STOP), &(const struct wire_c_pool){.pool = "blog"});
	assert_int_equal(client_ask(c, NULL), 0);
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(client_await(c, &wait, &a, NULL), 0);
	assert_string_equal(a.text, "stopped");
	client_close(&c);
	fake_stop(&f);
}

static void send_raw(int fd, uint16_t type, uint32_t seq, const char *bytes, size_t len)
{
	static struct wire_dgram d;
	struct wire_wr w;

	wire_begin(&d, &w, type, seq);
	for (size_t i = 0; i < len; i++)
		wire_put_u8(&w, (uint8_t)bytes[i]);
	wire_end(&d, &w);
	wire_send(fd, &d, NULL, 0);
}

static void script_cut_done(int fd)
{
	send_raw(fd, WIRE_C_DONE, fake_asked(fd, &script_got, WIRE_C_RESTART), "\0\0\0\0\xff\xff\xff\x7f", 8);
}

static void script_bad_note(int fd)
{
	send_raw(fd, WIRE_C_NOTE, fake_asked(fd, &script_got, WIRE_C_RESTART), "\x02\0\0\0ab!", 7);
}

static void script_unknown(int fd)
{
	send_raw(fd, 999, fake_asked(fd, &script_got, WIRE_C_RESTART), "", 0);
}

static void script_unasked_lease(int fd)
{
	fake_leased(fd, fake_asked(fd, &script_got, WIRE_C_RESTART), &(const struct wire_c_leased){.pool = "blog", .address = "/x", .chroot = ""}, NULL, 0);
}

static void test_nonsense(void **state)
{
	fake_script *const scripts[] = {script_cut_done, script_bad_note, script_unknown, script_unasked_lease};

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct heard h = {.notes = 0};
		struct client_answer a = {.code = 99};
		struct fp_err err = {.code = 0};

		assert_int_equal(call_for(scripts[i], CLIENT_FOREVER, &h, &a, &err), -EPROTO);
		assert_int_equal(a.code, 99);
		assert_int_equal(h.notes, 0);
	}
}

static void test_too_long(void **state)
{
	char pool[1000];
	struct fake f;
	struct fcgipm_client *c = NULL;
	struct client_answer a = {.code = 0};
	const struct client_wait wait = {.deadline_ms = CLIENT_FOREVER};

	(void)state;
	memset(pool, 'a', sizeof(pool) - 1);
	pool[sizeof(pool) - 1] = '\0';
	fake_start(&f, script_good);
	assert_int_equal(client_open(f.path, &c, NULL), 0);
	wire_put_c_pool(client_begin(c, WIRE_C_RESTART), &(const struct wire_c_pool){.pool = pool});
	assert_int_equal(client_call(c, &wait, &a, NULL), -EMSGSIZE);
	/* The connection is as good as before. */
	wire_put_c_pool(client_begin(c, WIRE_C_RESTART), &(const struct wire_c_pool){.pool = "blog"});
	assert_int_equal(client_call(c, &wait, &a, NULL), 0);
	assert_int_equal(a.code, 1);
	client_close(&c);
	fake_stop(&f);
}

static void test_nobody_there(void **state)
{
	struct fcgipm_client *c = NULL;
	struct fp_err err = {.code = 0};
	char path[200];

	(void)state;
	assert_int_equal(client_open("/nonexistent/control.sock", &c, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/control.sock"));
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(client_open(path, &c, NULL), -ENAMETOOLONG);
	assert_null(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notes_and_done),      cmocka_unit_test(test_manager_dies), cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_ask_now_await_later), cmocka_unit_test(test_nonsense),     cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_nobody_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
