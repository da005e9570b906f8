/* A launcher for tests of the manager: the other end of the socket pair, in the same process.  It records every request as a line of text, answers as
 * the real one does, and has no processes: a worker is a number, and what it does is what the test says. */
#ifndef FCGIPM_TESTS_FAKE_LAUNCHER_H
#define FCGIPM_TESTS_FAKE_LAUNCHER_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/manager/manager.h"
#include "fcgipm/wire/launcher.h"

enum { FAKE_WORKERS = 64, FAKE_RECORD = 65536, FAKE_PATIENCE_MS = 5000, FAKE_CODE_EXIT_0 = 0, FAKE_CODE_EXIT_1 = 1 << 8 };

struct fake_worker {
	uint64_t id; /* 0: free */
	char pool[32];
	uint32_t generation, tag;
	int output[2];
};

struct fake {
	uint32_t reload_seq; /* of the last RELOAD, which the test answers */
	struct manager *m;
	int sock;
	struct wire_dgram in, out;
	struct fake_worker workers[FAKE_WORKERS];
	uint64_t last_id;
	char record[FAKE_RECORD]; /* of requests, a line each; LOOK is left out */
	size_t recorded;
	int listener, control, log;
	char path[64];
	/* what it answers */
	int look, retire; /* enum wire_look */
	int spawn_code, bind_code; /* errno */
	uint32_t dies_at_boot; /* workers of that generation exit with 1 as soon as they have exec'd; 0: none */
	int reload_code;
	uint32_t signals_sent;
};

static inline void fake_send(struct fake *f, struct wire_wr *w, const int *fds, unsigned nfds)
{
	assert_int_equal(wire_end(&f->out, w), 0);
	assert_int_equal(wire_send(f->sock, &f->out, fds, nfds), 0);
}

#define FAKE_SEND(f, TYPE, name, seq, message, fds, nfds)                                                                                                      \
	do {                                                                                                                                                   \
		struct wire_wr w_;                                                                                                                             \
		wire_begin(&(f)->out, &w_, WIRE_##TYPE, (seq));                                                                                                \
		wire_put_##name(&w_, (message));                                                                                                               \
		fake_send((f), &w_, (fds), (nfds));                                                                                                            \
	} while (0)

static inline void fake_answer(struct fake *f, const struct wire_answer *a, const int *fds, unsigned nfds)
{
	FAKE_SEND(f, ANSWER, answer, f->in.seq, a, fds, nfds);
}

static inline void fake_code(struct fake *f, int code)
{
	fake_answer(f, &(struct wire_answer){.code = code, .text = code != 0 ? "the launcher says no" : ""}, NULL, 0);
}

static inline void fake_say(struct fake *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static inline void fake_say(struct fake *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	f->recorded += (size_t)vsnprintf(f->record + f->recorded, sizeof(f->record) - f->recorded, fmt, ap);
	va_end(ap);
	assert_true(f->recorded < sizeof(f->record));
}

static inline struct fake_worker *fake_worker(struct fake *f, uint64_t id)
{
	for (unsigned i = 0; i < FAKE_WORKERS; i++)
		if (f->workers[i].id == id)
			return &f->workers[i];
	return NULL;
}

/* The nth living worker of a generation and tag; 0: any. */
static inline struct fake_worker *fake_nth(struct fake *f, unsigned n, uint32_t generation, uint32_t tag)
{
	for (unsigned i = 0; i < FAKE_WORKERS; i++) {
		struct fake_worker *w = &f->workers[i];

		if (w->id == 0 || (generation != 0 && w->generation != generation) || (tag != 0 && w->tag != tag))
			continue;
		if (n-- == 0)
			return w;
	}
	return NULL;
}

static inline unsigned fake_count(struct fake *f, uint32_t generation, uint32_t tag)
{
	unsigned n = 0;

	while (fake_nth(f, n, generation, tag) != NULL)
		n++;
	return n;
}

static inline void fake_exit(struct fake *f, struct fake_worker *w, int status)
{
	struct wire_exited m = {.worker = w->id, .status = status, .step = "", .detail = ""};

	close(w->output[1]);
	close(w->output[0]);
	w->id = 0;
	FAKE_SEND(f, EXITED, exited, 0, &m, NULL, 0);
}

static inline void fake_on_spawn(struct fake *f, struct wire_rd *r)
{
	struct fake_worker *w = fake_worker(f, 0);
	struct wire_worker_id started;
	struct wire_spawn m;

	assert_true(wire_read_spawn(r, &m));
	fake_say(f, "SPAWN %s %u %u\n", m.pool, m.generation, m.tag);
	if (f->spawn_code != 0) {
		fake_code(f, f->spawn_code);
		return;
	}
	assert_non_null(w);
	assert_int_equal(pipe(w->output), 0);
	w->id = ++f->last_id;
	w->generation = m.generation;
	w->tag = m.tag;
	snprintf(w->pool, sizeof(w->pool), "%s", m.pool);
	fake_answer(f, &(struct wire_answer){.value = w->id, .number = 1000000 + (int)w->id, .text = ""}, w->output, 1);
	started.worker = w->id;
	FAKE_SEND(f, STARTED, worker_id, 0, &started, NULL, 0);
	if (f->dies_at_boot != 0 && m.generation == f->dies_at_boot) {
		assert_int_equal(write(w->output[1], "no such database\n", 17), 17);
		fake_exit(f, w, FAKE_CODE_EXIT_1);
	}
}

static inline void fake_on_look(struct fake *f, struct wire_rd *r, bool retire)
{
	struct wire_worker_id m;
	struct fake_worker *w;
	int number = retire ? f->retire : f->look;

	assert_true(wire_read_worker_id(r, &m));
	w = fake_worker(f, m.worker);
	if (retire && w != NULL && number == WIRE_LOOK_SIGNALLED)
		fake_say(f, "RETIRED %s %u %u\n", w->pool, w->generation, w->tag);
	fake_answer(f, &(struct wire_answer){.number = w != NULL ? number : WIRE_LOOK_GONE, .code = w != NULL ? 0 : ESRCH, .text = ""}, NULL, 0);
	if (retire && w != NULL && number == WIRE_LOOK_SIGNALLED)
		fake_exit(f, w, FAKE_CODE_EXIT_0);
}

static inline void fake_on_bind(struct fake *f, struct wire_rd *r)
{
	struct wire_bind m;
	struct wire_answer a = {.text = f->path};

	assert_true(wire_read_bind(r, &m));
	fake_say(f, "BIND %s %u %u\n", m.pool, m.generation, m.renew);
	if (f->bind_code != 0)
		fake_code(f, f->bind_code);
	else
		fake_answer(f, &a, &f->listener, 1);
}

static inline void fake_on_pool(struct fake *f, struct wire_rd *r)
{
	struct wire_unbind u;
	struct wire_commit c;

	if (f->in.type == WIRE_UNBIND) {
		assert_true(wire_read_unbind(r, &u));
		fake_say(f, "UNBIND %s %u %u\n", u.pool, u.generation, u.how);
	} else {
		assert_true(wire_read_commit(r, &c));
		fake_say(f, "%s %s %u\n", f->in.type == WIRE_COMMIT ? "COMMIT" : "OUTPUT", c.pool, c.generation);
	}
	fake_code(f, 0);
}

static inline void fake_on_signal(struct fake *f, struct wire_rd *r)
{
	struct wire_signal m;
	struct fake_worker *w;

	assert_true(wire_read_signal(r, &m));
	fake_say(f, "SIGNAL %d\n", m.signal);
	fake_code(f, 0);
	f->signals_sent++;
	w = fake_worker(f, m.worker);
	if (w != NULL && m.signal == 9)
		fake_exit(f, w, 9);
}

static inline void fake_on_simple(struct fake *f, struct wire_rd *r)
{
	uint8_t what;

	if (f->in.type == WIRE_STATE) {
		fake_code(f, 0);
		return;
	}
	if (f->in.type == WIRE_RELOAD) {
		f->reload_seq = f->in.seq;
		fake_say(f, "RELOAD\n");
		return; /* the test answers, when it has told which pools differ */
	}
	what = wire_get_u8(r);
	fake_say(f, "%s %u\n", f->in.type == WIRE_NOTICE ? "NOTICE" : "END", what);
	fake_code(f, 0);
}

static inline void fake_take(struct fake *f)
{
	struct wire_rd r = wire_body(&f->in);

	switch (f->in.type) {
	case WIRE_SPAWN:
		fake_on_spawn(f, &r);
		break;
	case WIRE_LOOK:
	case WIRE_RETIRE:
		fake_on_look(f, &r, f->in.type == WIRE_RETIRE);
		break;
	case WIRE_BIND:
		fake_on_bind(f, &r);
		break;
	case WIRE_UNBIND:
	case WIRE_COMMIT:
	case WIRE_OUTPUT:
		fake_on_pool(f, &r);
		break;
	case WIRE_SIGNAL:
		fake_on_signal(f, &r);
		break;
	default:
		fake_on_simple(f, &r);
		break;
	}
	wire_dgram_close(&f->in);
}

/* One turn of both. */
static inline void fake_turn(struct fake *f)
{
	event_base_loop(f->m->base, EVLOOP_NONBLOCK);
	while (wire_recv(f->sock, &f->in) == 1)
		fake_take(f);
	event_base_loop(f->m->base, EVLOOP_NONBLOCK);
}

#define fake_until(f, condition)                                                                                                                               \
	do {                                                                                                                                                   \
		int64_t give_up_ = fp_now_ms() + FAKE_PATIENCE_MS;                                                                                             \
		while (!(condition)) {                                                                                                                         \
			if (fp_now_ms() > give_up_)                                                                                                            \
				fail_msg("not within 5 s: %s; asked so far:\n%s", #condition, (f)->record);                                                    \
			fake_turn(f);                                                                                                                          \
			usleep(200);                                                                                                                           \
		}                                                                                                                                              \
	} while (0)

/* Lets ms pass. */
static inline void fake_wait(struct fake *f, int64_t ms)
{
	int64_t end = fp_now_ms() + ms;

	while (fp_now_ms() < end) {
		fake_turn(f);
		usleep(200);
	}
}

static inline bool fake_asked(const struct fake *f, const char *line)
{
	return strstr(f->record, line) != NULL;
}

static inline unsigned fake_times(const struct fake *f, const char *line)
{
	unsigned n = 0;

	for (const char *at = f->record; (at = strstr(at, line)) != NULL; at++)
		n++;
	return n;
}

/* True when first was asked before second, and both were. */
static inline bool fake_order(const struct fake *f, const char *first, const char *second)
{
	const char *a = strstr(f->record, first), *b = strstr(f->record, second);

	return a != NULL && b != NULL && a < b;
}

static inline void fake_forget(struct fake *f)
{
	f->record[0] = '\0';
	f->recorded = 0;
}

static inline int fake_listener(char *path, size_t cap, int type)
{
	static unsigned serial;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(path, cap, "/tmp/fcgipm-test.%d.%u", (int)getpid(), ++serial);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	unlink(path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

/* ---- what the launcher tells ---- */

static inline void fake_settings(struct fake *f, uint32_t max_workers)
{
	struct manager_settings s = {0};
	struct wire_wr w = {.at = malloc(65536), .cap = 65536};
	struct wire_settings m = {.generation = 1};

	assert_int_equal(settings_preset_all(&s, &settings_manager_table, NULL), 0);
	s.max_workers = max_workers;
	assert_int_equal(settings_put_text(&s.runtime_directory, "/run/fcgipm"), 0);
	assert_int_equal(settings_put_text(&s.user_name, "fcgipm"), 0);
	settings_manager_encode(&w, &s);
	assert_false(w.bad);
	m.settings = (struct wire_blob){w.at, w.len};
	FAKE_SEND(f, SETTINGS, settings, 0, &m, NULL, 0);
	settings_manager_free(&s);
	free(w.at);
}

/* A pool with these settings; change may alter them before they are sent. */
typedef void fake_change(struct pool_settings *s);
static inline void fake_pool(struct fake *f, const char *name, uint32_t generation, uint8_t which, fake_change *change)
{
	struct pool_settings s = {0};
	struct wire_wr w = {.at = malloc(65536), .cap = 65536};
	struct wire_pool m = {.pool = name, .generation = generation, .which = which, .failure = ""};

	assert_int_equal(settings_preset_all(&s, &settings_pool_table, NULL), 0);
	assert_int_equal(settings_put_text(&s.name, name), 0);
	assert_int_equal(settings_put_text(&s.user, "nobody"), 0);
	assert_int_equal(settings_put_text(&s.user_name, "nobody"), 0);
	assert_int_equal(settings_put_text(&s.listen, f->path), 0);
	s.uid = s.gid = 65534;
	s.workers_min = s.workers_max = 2;
	assert_int_equal(settings_put_text(&s.workers_start, "exec"), 0); /* this launcher has no templates */
	if (change != NULL)
		change(&s);
	settings_pool_encode(&w, &s);
	assert_false(w.bad);
	m.settings = (struct wire_blob){w.at, w.len};
	FAKE_SEND(f, POOL, pool, 0, &m, NULL, 0);
	settings_pool_free(&s);
	free(w.at);
}

static inline void fake_go(struct fake *f)
{
	FAKE_SEND(f, GO, empty, 0, &(struct wire_empty){}, NULL, 0);
}

static inline void fake_hello(struct fake *f, int state)
{
	struct wire_hello m = {.launcher_pid = 1, .started_ms = fp_now_ms(), .generation = 1, .flags = 1, .version = "test", .config = "test"};
	int fds[3] = {f->control, f->log, state};

	FAKE_SEND(f, HELLO, hello, 0, &m, fds, state >= 0 ? 3 : 2);
}

static inline void fake_connect(struct fake *f)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	f->sock = pair[0];
	f->m = manager_new(pair[1]);
	assert_non_null(f->m);
}

static inline int fake_setup(void **state)
{
	struct fake *f = calloc(1, sizeof(*f));
	char control_path[64];

	assert_non_null(f);
	f->look = WIRE_LOOK_IDLE;
	f->retire = WIRE_LOOK_SIGNALLED;
	f->listener = fake_listener(f->path, sizeof(f->path), SOCK_STREAM);
	f->control = fake_listener(control_path, sizeof(control_path), SOCK_SEQPACKET);
	f->log = getenv("FCGIPM_TEST_LOG") != NULL ? dup(2) : open("/dev/null", O_WRONLY | O_CLOEXEC);
	fake_connect(f);
	*state = f;
	return 0;
}

static inline int fake_teardown(void **state)
{
	struct fake *f = *state;

	manager_free(f->m);
	fp_log_setup(2, FP_LOG_ERROR, FP_LOG_LOGFMT);
	for (unsigned i = 0; i < FAKE_WORKERS; i++) {
		if (f->workers[i].id == 0)
			continue;
		close(f->workers[i].output[0]);
		close(f->workers[i].output[1]);
	}
	close(f->sock);
	close(f->listener);
	close(f->control);
	close(f->log);
	unlink(f->path);
	free(f);
	return 0;
}

#endif
