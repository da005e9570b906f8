/* The link to the launcher (manager process).  It carries messages and matches answers with calls; it decides nothing. */
#include "fcgipm/manager/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/fd.h"

enum { LINK_TURN = 64 }; /* messages of one turn, so that clients and timers get theirs */

static void link_lose(struct link *l, const char *why)
{
	if (l->is_lost)
		return;
	l->is_lost = true;
	event_del(&l->readable);
	event_del(&l->writable);
	l->lost(l->ctx, why);
}

static void link_take_answer(struct link *l, struct wire_dgram *d)
{
	struct link_call **p = &l->calls[d->seq % LINK_BUCKETS];
	struct wire_rd r = wire_body(d);
	struct wire_answer a;
	struct link_call *c;

	while (*p != NULL && (*p)->seq != d->seq)
		p = &(*p)->next;
	c = *p;
	if (c == NULL || !wire_read_answer(&r, &a) || !wire_done(&r)) {
		wire_dgram_close(d);
		link_lose(l, c == NULL ? "an answer that nobody asked for" : "malformed answer");
		return;
	}
	*p = c->next;
	l->waiting--;
	if (c->done != NULL)
		c->done(c->ctx, &a, d);
	free(c);
	wire_dgram_close(d);
}

static void link_take(struct link *l, struct wire_dgram *d)
{
	enum wire_refusal refusal;
	const char *name;
	char why[128];

	if (d->type == WIRE_ANSWER) {
		link_take_answer(l, d);
		return;
	}
	refusal = wire_dispatch(&(struct wire_table){l->rows, l->row_count}, l->phase, l->ctx, d, &name);
	if (refusal == WIRE_ACCEPTED)
		return;
	snprintf(why, sizeof(why), "%s: %s", name, wire_refusal_name(refusal));
	link_lose(l, why);
}

static void link_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct link *l = ctx;

	(void)what;
	for (int i = 0; i < LINK_TURN && !l->is_lost; i++) {
		int r = wire_recv(fd, &l->in);

		if (r == -EAGAIN || r == -EINTR)
			return;
		if (r == 1)
			link_take(l, &l->in);
		else
			link_lose(l, r == 0 || r == -ECONNRESET ? NULL : "a message that cannot be received");
	}
}

/* 0: sent, or lost for good; -EAGAIN: later. */
static int link_try(struct link *l, const struct wire_dgram *d, int fd)
{
	int r = wire_send(l->fd, d, &fd, fd >= 0 ? 1 : 0);

	if (r == -EAGAIN || r == -ENOBUFS || r == -EINTR)
		return -EAGAIN;
	if (r == -EPIPE || r == -ECONNRESET)
		link_lose(l, NULL);
	else if (r < 0)
		link_lose(l, "cannot send");
	return 0;
}

static void link_drop_first(struct link *l)
{
	struct link_item *i = l->first;

	l->first = i->next;
	if (l->first == NULL)
		l->last = &l->first;
	fp_close(&i->fd);
	free(i->d);
	free(i);
}

static void link_writable(evutil_socket_t fd, short what, void *ctx)
{
	struct link *l = ctx;

	(void)fd;
	(void)what;
	while (l->first != NULL && !l->is_lost) {
		if (link_try(l, l->first->d, l->first->fd) == -EAGAIN)
			return;
		link_drop_first(l);
	}
	if (l->first == NULL)
		event_del(&l->writable);
}

static void link_queue(struct link *l, const struct wire_dgram *d, int fd)
{
	struct link_item *i = calloc(1, sizeof(*i));
	struct wire_dgram *copy = malloc(sizeof(*copy) - sizeof(copy->bytes) + d->len);

	if (i == NULL || copy == NULL) {
		free(i);
		free(copy);
		link_lose(l, "out of memory");
		return;
	}
	memcpy(copy, d, sizeof(*copy) - sizeof(copy->bytes) + d->len);
	*i = (struct link_item){.d = copy, .fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3)};
	*l->last = i;
	l->last = &i->next;
	event_add(&l->writable, NULL);
}

static void link_post(struct link *l, struct wire_dgram *d, const struct wire_wr *w, int fd)
{
	if (l->is_lost)
		return;
	if (wire_end(d, w) < 0)
		link_lose(l, "a request that does not fit");
	else if (l->first != NULL || link_try(l, d, fd) == -EAGAIN)
		link_queue(l, d, fd);
}

/* Every request gets a number, and every number an answer. */
static uint32_t link_expect(struct link *l, link_done *done, void *ctx)
{
	struct link_call *c = calloc(1, sizeof(*c));
	struct link_call **bucket;

	if (c == NULL) {
		link_lose(l, "out of memory");
		return 0;
	}
	if (++l->last_seq == 0)
		l->last_seq = 1;
	bucket = &l->calls[l->last_seq % LINK_BUCKETS];
	*c = (struct link_call){.next = *bucket, .seq = l->last_seq, .done = done, .ctx = ctx};
	*bucket = c;
	l->waiting++;
	return c->seq;
}

#define LINK_SEND(l, TYPE, name, message, fd, done, ctx)                                                                                                       \
	do {                                                                                                                                                   \
		struct wire_dgram d_;                                                                                                                          \
		struct wire_wr w_;                                                                                                                             \
		wire_begin(&d_, &w_, (TYPE), link_expect((l), (done), (ctx)));                                                                                 \
		wire_put_##name(&w_, (message));                                                                                                               \
		link_post((l), &d_, &w_, (fd));                                                                                                                \
	} while (0)

void link_bind(struct link *l, const struct wire_bind *m, link_done *done, void *ctx)
{
	LINK_SEND(l, WIRE_BIND, bind, m, -1, done, ctx);
}

void link_unbind(struct link *l, const struct wire_unbind *m, link_done *done, void *ctx)
{
	LINK_SEND(l, WIRE_UNBIND, unbind, m, -1, done, ctx);
}

void link_spawn(struct link *l, const struct wire_spawn *m, link_done *done, void *ctx)
{
	LINK_SEND(l, WIRE_SPAWN, spawn, m, -1, done, ctx);
}

void link_look(struct link *l, uint64_t worker, link_done *done, void *ctx)
{
	LINK_SEND(l, WIRE_LOOK, worker_id, &(struct wire_worker_id){.worker = worker}, -1, done, ctx);
}

void link_retire(struct link *l, uint64_t worker, link_done *done, void *ctx)
{
	LINK_SEND(l, WIRE_RETIRE, worker_id, &(struct wire_worker_id){.worker = worker}, -1, done, ctx);
}

void link_signal(struct link *l, uint64_t worker, int signo, link_done *done, void *ctx)
{
	struct wire_signal m = {.worker = worker, .signal = signo};

	LINK_SEND(l, WIRE_SIGNAL, signal, &m, -1, done, ctx);
}

void link_cut(struct link *l, uint64_t worker, int64_t since_ns, link_done *done, void *ctx)
{
	struct wire_cut m = {.worker = worker, .since_ns = since_ns};

	LINK_SEND(l, WIRE_CUT, cut, &m, -1, done, ctx);
}

void link_state(struct link *l, int fd, link_done *done, void *ctx)
{
	LINK_SEND(l, WIRE_STATE, empty, &(struct wire_empty){}, fd, done, ctx);
}

void link_reload(struct link *l, link_done *done, void *ctx)
{
	LINK_SEND(l, WIRE_RELOAD, empty, &(struct wire_empty){}, -1, done, ctx);
}

void link_commit(struct link *l, const struct wire_commit *m, link_done *done, void *ctx)
{
	LINK_SEND(l, WIRE_COMMIT, commit, m, -1, done, ctx);
}

void link_output(struct link *l, const struct wire_commit *m, link_done *done, void *ctx)
{
	LINK_SEND(l, WIRE_OUTPUT, commit, m, -1, done, ctx);
}

void link_notice(struct link *l, uint8_t what)
{
	LINK_SEND(l, WIRE_NOTICE, notice, &(struct wire_notice){.what = what}, -1, NULL, NULL);
}

void link_end(struct link *l, uint8_t how)
{
	LINK_SEND(l, WIRE_END, end, &(struct wire_end){.how = how}, -1, NULL, NULL);
}

void link_exec(struct link *l, int fd)
{
	LINK_SEND(l, WIRE_EXEC, empty, &(struct wire_empty){}, fd, NULL, NULL);
}

void link_forget(struct link *l, const void *ctx)
{
	for (size_t i = 0; i < LINK_BUCKETS && l->waiting > 0; i++)
		for (struct link_call *c = l->calls[i]; c != NULL; c = c->next)
			if (c->ctx == ctx)
				c->done = NULL;
}

int link_init(struct link *l, struct event_base *base, int fd)
{
	int r = fp_set_nonblock(fd, true);

	if (r == 0)
		r = fp_set_cloexec(fd, true);
	if (r < 0)
		return r;
	l->fd = fd;
	l->phase = LINK_NEW;
	l->first = NULL;
	l->last = &l->first;
	if (event_assign(&l->readable, base, fd, EV_READ | EV_PERSIST, link_readable, l) < 0 ||
	    event_assign(&l->writable, base, fd, EV_WRITE | EV_PERSIST, link_writable, l) < 0)
		return -EINVAL;
	return event_add(&l->readable, NULL) < 0 ? -ENOMEM : 0;
}

void link_fini(struct link *l)
{
	event_del(&l->readable);
	event_del(&l->writable);
	while (l->first != NULL)
		link_drop_first(l);
	for (size_t i = 0; i < LINK_BUCKETS; i++)
		while (l->calls[i] != NULL) {
			struct link_call *c = l->calls[i];

			l->calls[i] = c->next;
			free(c);
		}
	fp_close(&l->fd);
}
