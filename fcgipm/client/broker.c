/* The exec broker's client (runs in a frontend or in the command line).  It believes nothing that it reads. */
#include "fcgipm/client/broker.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/client/control.h"
#include "fcgipm/wire/exec.h"
#include "include/fcgipm/refusal.h"

struct fcgipm_broker {
	int fd;
	bool asked, started; /* a run that has not ended; it has begun */
	bool given[3], null[3]; /* its descriptors that were ours, or nothing */
	int refusal;
	struct wire_dgram sent, got;
};

/* ---- connecting ---- */

static int left_ms(int64_t deadline_ms)
{
	int64_t left = deadline_ms - fp_now_ms();

	if (deadline_ms == INT64_MAX)
		return -1;
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static int await(int fd, int64_t deadline_ms, struct fp_err *err)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (;;) {
		int n = poll(&p, 1, left_ms(deadline_ms));

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return fp_fail(err, errno, "%m");
		if (n == 0 && fp_now_ms() >= deadline_ms)
			return fp_fail(err, ETIMEDOUT, "the exec broker did not answer in time");
	}
}

static int gone(struct fp_err *err)
{
	return fp_fail(err, ECONNRESET, "the exec broker has closed the connection");
}

/* 1: there is one; 0: none yet. */
static int receive(struct fcgipm_broker *b, struct fp_err *err)
{
	struct pollfd p = {.fd = b->fd, .events = POLLIN};
	int r = poll(&p, 1, 0) > 0 ? wire_recv(b->fd, &b->got) : -EAGAIN;

	if (r == -EAGAIN || r == -EINTR)
		return 0;
	if (r == 0 || r == -ECONNRESET || r == -EPIPE)
		return gone(err);
	return r < 0 ? fp_fail(err, EPROTO, "the exec broker's answer is malformed") : 1;
}

static int refused(struct fcgipm_broker *b, struct fp_err *err)
{
	struct wire_rd r = wire_body(&b->got);
	struct wire_x_refused m;

	if (!wire_read_x_refused(&r, &m) || m.code == 0)
		return fp_fail(err, EPROTO, "the exec broker's answer is malformed");
	b->refusal = (int)m.code;
	return fp_fail(err, m.code == FCGIPM_REFUSED_BUSY ? EAGAIN : EACCES, "%s: %s", fcgipm_refusal_name(b->refusal), m.text);
}

/* From the manager: there is nobody who could. */
static int denied(struct fcgipm_broker *b, struct fp_err *err)
{
	struct wire_rd r = wire_body(&b->got);
	struct wire_c_done m;

	if (!wire_read_c_done(&r, &m))
		return fp_fail(err, EPROTO, "the manager's answer is malformed");
	return fp_fail(err, ECONNRESET, "%s", m.text);
}

static int take_hello(struct fcgipm_broker *b, struct fp_err *err)
{
	switch (b->got.type) {
	case WIRE_X_HELLO:
		return 1;
	case WIRE_X_REFUSED:
		return refused(b, err);
	case WIRE_C_DONE:
		return denied(b, err);
	default:
		return fp_fail(err, EPROTO, "the manager's answer is malformed");
	}
}

static int greet(struct fcgipm_broker *b, int64_t deadline_ms, struct fp_err *err)
{
	struct wire_wr w;
	int r;

	wire_begin(&b->sent, &w, WIRE_C_EXEC, 1);
	wire_put_c_exec(&w, &(struct wire_c_exec){});
	r = wire_end(&b->sent, &w);
	if (r == 0)
		r = wire_send(b->fd, &b->sent, NULL, 0);
	if (r < 0)
		return fp_fail(err, -r, "cannot ask the manager: %m");
	while (r == 0) {
		r = await(b->fd, deadline_ms, err);
		if (r == 0)
			r = receive(b, err);
		if (r == 1)
			r = take_hello(b, err);
		wire_dgram_close(&b->got);
	}
	return r < 0 ? r : 0;
}

int broker_open(const char *path, int64_t deadline_ms, struct fcgipm_broker **ret, struct fp_err *err)
{
	struct fcgipm_broker *b = calloc(1, sizeof(*b));
	int r = b == NULL ? fp_fail(err, ENOMEM, "%m") : client_connect(path, &b->fd, err);

	if (r < 0) {
		free(b);
		return r;
	}
	r = greet(b, deadline_ms, err);
	if (r < 0)
		broker_close(&b);
	else
		*ret = b;
	return r;
}

void broker_close(struct fcgipm_broker **b)
{
	if (*b == NULL)
		return;
	wire_dgram_close(&(*b)->got);
	fp_close(&(*b)->fd);
	free(*b);
	*b = NULL;
}

int broker_fd(const struct fcgipm_broker *b)
{
	return b->fd;
}

int broker_refusal(const struct fcgipm_broker *b)
{
	return b->refusal;
}

/* ---- asking ---- */

static void put_texts(struct wire_wr *w, const char *const *texts)
{
	uint32_t count = 0;

	while (texts != NULL && texts[count] != NULL)
		count++;
	wire_put_u32(w, count);
	for (uint32_t i = 0; i < count; i++)
		wire_put_str(w, texts[i]);
}

static size_t texts_len(const char *const *texts)
{
	size_t len = 4;

	for (; texts != NULL && *texts != NULL; texts++)
		len += strlen(*texts) + 5;
	return len;
}

/* In one piece, the caller's to free. */
static int spell_words(const struct fcgipm_program *what, struct wire_wr *ret, struct fp_err *err)
{
	size_t len = texts_len(what->argv) + texts_len(what->envp);
	struct wire_wr w = {.cap = len};

	if (what->argv == NULL || what->argv[0] == NULL)
		return fp_fail(err, EINVAL, "no program");
	if (len > WIRE_EXEC_WORDS_MAX)
		return fp_fail(err, E2BIG, "arguments and environment take more than %d KB", WIRE_EXEC_WORDS_MAX >> 10);
	w.at = malloc(len);
	if (w.at == NULL)
		return fp_fail(err, ENOMEM, "%m");
	put_texts(&w, what->argv);
	put_texts(&w, what->envp);
	*ret = w;
	return 0;
}

struct parcel {
	int fds[3];
	unsigned count;
};

static int send_words(struct fcgipm_broker *b, struct wire_blob words)
{
	struct wire_wr w;
	int r;

	wire_begin(&b->sent, &w, WIRE_X_WORDS, 0);
	wire_put_x_words(&w, &(struct wire_x_words){.words = words});
	r = wire_end(&b->sent, &w);
	return r == 0 ? wire_send(b->fd, &b->sent, NULL, 0) : r;
}

/* What is too long for a message goes in front of it. */
static int send_run(struct fcgipm_broker *b, struct wire_x_run *m, const struct parcel *p, struct fp_err *err)
{
	struct wire_wr w;
	int r = 0;

	while (r == 0 && m->words.len > WIRE_EXEC_WORDS_PIECE) {
		r = send_words(b, (struct wire_blob){.at = m->words.at, .len = WIRE_EXEC_WORDS_PIECE});
		m->words.at += WIRE_EXEC_WORDS_PIECE;
		m->words.len -= WIRE_EXEC_WORDS_PIECE;
	}
	wire_begin(&b->sent, &w, WIRE_X_RUN, 0);
	wire_put_x_run(&w, m);
	if (r == 0)
		r = wire_end(&b->sent, &w);
	if (r == 0)
		r = wire_send(b->fd, &b->sent, p->fds, p->count);
	if (r == -EPIPE || r == -ECONNRESET)
		return gone(err);
	return r < 0 ? fp_fail(err, -r, "cannot ask the exec broker: %m") : 0;
}

int broker_ask(struct fcgipm_broker *b, const struct fcgipm_program *what, struct fp_err *err)
{
	struct wire_x_run m = {.profile = what->profile, .directory = what->directory != NULL ? what->directory : ""};
	struct parcel p = {.count = 0};
	struct wire_wr words = {.at = NULL};
	int r;

	if (b->asked)
		return fp_fail(err, EBUSY, "the run before has not ended");
	r = spell_words(what, &words, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < 3; i++) {
		b->given[i] = what->stdio[i] >= 0;
		b->null[i] = what->stdio[i] == FCGIPM_NULL;
		m.stdio |= (uint8_t)(b->null[i] << (i + 4));
		if (!b->given[i])
			continue;
		m.stdio |= (uint8_t)(1 << i);
		p.fds[p.count++] = what->stdio[i];
	}
	m.words = (struct wire_blob){.at = words.at, .len = words.len};
	r = send_run(b, &m, &p, err);
	free(words.at);
	b->asked = r == 0;
	b->started = false;
	b->refusal = 0;
	return r;
}

/* ---- news ---- */

static bool has_pipe(const struct fcgipm_broker *b, unsigned i)
{
	return !b->given[i] && !b->null[i];
}

static int take_started(struct fcgipm_broker *b, struct fcgipm_run *ret, struct fp_err *err)
{
	struct wire_rd r = wire_body(&b->got);
	struct fcgipm_run run = {.broker = b, .stdio = {-1, -1, -1}};
	struct wire_x_started m;
	unsigned at = 0, wanted = 1;

	for (unsigned i = 0; i < 3; i++)
		wanted += has_pipe(b, i);
	if (!b->asked || !wire_read_x_started(&r, &m) || b->got.nfds != wanted)
		return fp_fail(err, EPROTO, "the exec broker's answer is malformed");
	run.pid = m.pid;
	for (unsigned i = 0; i < 3; i++)
		if (has_pipe(b, i))
			run.stdio[i] = wire_take_fd(&b->got, at++);
	run.pidfd = wire_take_fd(&b->got, at);
	*ret = run;
	b->started = true;
	return FCGIPM_NEWS_STARTED;
}

static int take_ended(struct fcgipm_broker *b, struct fcgipm_end *ret, struct fp_err *err)
{
	struct wire_rd r = wire_body(&b->got);
	struct wire_x_ended m;

	if (!b->asked || !wire_read_x_ended(&r, &m) || m.why > WIRE_EXEC_CANCELLED)
		return fp_fail(err, EPROTO, "the exec broker's answer is malformed");
	b->asked = false;
	*ret = (struct fcgipm_end){
		.status = m.status, .why = (enum fcgipm_end_why)m.why, .user_us = m.user_us, .system_us = m.system_us, .max_rss_kb = m.max_rss_kb};
	return FCGIPM_NEWS_ENDED;
}

int broker_next(struct fcgipm_broker *b, struct fcgipm_run *run, struct fcgipm_end *end, struct fp_err *err)
{
	int r = receive(b, err);

	if (r <= 0)
		return r;
	if (b->got.type == WIRE_X_STARTED) {
		r = take_started(b, run, err);
	} else if (b->got.type == WIRE_X_ENDED) {
		r = take_ended(b, end, err);
	} else if (b->got.type == WIRE_X_REFUSED) {
		b->asked = false;
		r = refused(b, err);
	} else {
		r = fp_fail(err, EPROTO, "the exec broker's answer is malformed");
	}
	wire_dgram_close(&b->got);
	return r;
}

int broker_await(struct fcgipm_broker *b, int64_t deadline_ms, struct fcgipm_run *run, struct fcgipm_end *end, struct fp_err *err)
{
	int r = 0;

	while (r == 0) {
		r = await(b->fd, deadline_ms, err);
		if (r == 0)
			r = broker_next(b, run, end, err);
	}
	return r;
}

/* The launcher reads nothing behind a request that it has not begun, and whose descriptors are still with it. */
static bool is_unheard(const struct fcgipm_broker *b)
{
	struct pollfd p = {.fd = b->fd, .events = POLLIN};

	return b->asked && !b->started && (b->given[0] || b->given[1] || b->given[2]) && poll(&p, 1, 0) == 0;
}

int broker_cancel(struct fcgipm_broker *b, bool at_once)
{
	struct wire_wr w;
	int r;

	if (is_unheard(b))
		return shutdown(b->fd, SHUT_RDWR) < 0 ? -errno : 0;
	wire_begin(&b->sent, &w, WIRE_X_CANCEL, 0);
	wire_put_x_cancel(&w, &(struct wire_x_cancel){.how = at_once});
	r = wire_end(&b->sent, &w);
	return r == 0 ? wire_send(b->fd, &b->sent, NULL, 0) : r;
}
