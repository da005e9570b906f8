/* The link to the manager (launcher process): its socket, what is sent over it, and what a manager is told at its start.  It never waits for the manager. */
#include "fcgipm/launcher/link.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/load.h"
#include "fcgipm/launcher/log_target.h"
#include "fcgipm/launcher/manager.h"
#include "fcgipm/launcher/requests.h"
#include "include/fcgipm/protocol.h"

enum { UNREAD_MAX_BYTES = 1 << 20, LINK_LOST_MS = 2000 };

/* One at a time, too large for a stack. */
static struct wire_dgram out;

/* ---- sending ---- */

/* A manager that does not read its answers is not asked for more requests: only what happens to workers can still add to the queue. */
static void link_watch(struct launcher *l)
{
	uint32_t events = (l->outbox.first != NULL ? EPOLLOUT : 0U) | (l->outbox.bytes < UNREAD_MAX_BYTES ? EPOLLIN : 0U);

	if (l->link.fd < 0 || events == l->link.events)
		return;
	l->link.events = events;
	loop_watch(&l->loop, &l->link);
}

static void link_put(struct launcher *l, const int *fds, unsigned nfds)
{
	int r = l->link.fd < 0 ? -ENOTCONN : outbox_put(&l->outbox, l->link.fd, &out, fds, nfds);

	if (r == -ENOBUFS || r == -ENOMEM) {
		log_error("manager.deaf", KI("queued_bytes", l->outbox.bytes));
		child_kill(&l->manager_child);
		return;
	}
	link_watch(l); /* a dead link is noticed by its reader */
}

#define SEND(l, TYPE, msg, seq, m, fds, nfds)                                                                                                                  \
	do {                                                                                                                                                   \
		struct wire_wr w_;                                                                                                                             \
		wire_begin(&out, &w_, WIRE_##TYPE, (seq));                                                                                                     \
		wire_put_##msg(&w_, (m));                                                                                                                      \
		if (wire_end(&out, &w_) < 0)                                                                                                                   \
			log_error("link.too_long", KS("message", #TYPE));                                                                                      \
		else                                                                                                                                           \
			link_put((l), (fds), (nfds));                                                                                                          \
	} while (0)

void link_answer(struct launcher *l, uint32_t seq, const struct wire_answer *a, const int *fds, unsigned nfds)
{
	if (seq != 0)
		SEND(l, ANSWER, answer, seq, a, fds, nfds);
}

void link_answer_code(struct launcher *l, uint32_t seq, int r, const char *text)
{
	link_answer(l, seq, &(struct wire_answer){.code = r < 0 ? -r : r, .text = text}, NULL, 0);
}

void link_started(struct launcher *l, const struct wire_worker_id *m)
{
	SEND(l, STARTED, worker_id, 0, m, NULL, 0);
}

void link_hooked(struct launcher *l, const struct wire_hooked *m)
{
	SEND(l, HOOKED, hooked, 0, m, NULL, 0);
}

void link_board(struct launcher *l, const struct pool *p)
{
	struct wire_gone_pool m = {.pool = p->name};
	const int fds[2] = {p->board.memory, p->board.heard};

	SEND(l, BOARD, gone_pool, 0, &m, fds, 2);
}

void link_ledger(struct launcher *l)
{
	struct wire_empty m = {};

	SEND(l, LEDGER, empty, 0, &m, &l->exec.ledger.fd, l->exec.ledger.lines != NULL ? 1 : 0);
}

void link_exited(struct launcher *l, const struct wire_exited *m)
{
	SEND(l, EXITED, exited, 0, m, NULL, 0);
}

void link_pool(struct launcher *l, const struct pool *p, const struct pool_entry *e)
{
	struct wire_pool m = {
		.pool = p->name,
		.generation = e->last,
		.since = e->first,
		.which = e == p->candidate,
		.failure = e->failure != NULL ? e->failure : "",
		.settings = e->settings,
	};

	SEND(l, POOL, pool, 0, &m, NULL, 0);
}

void link_gone_pool(struct launcher *l, const struct pool *p)
{
	struct wire_gone_pool m = {.pool = p->name};

	SEND(l, GONE_POOL, gone_pool, 0, &m, NULL, 0);
}

void link_settings(struct launcher *l)
{
	struct wire_settings m = {.generation = l->generation, .settings = l->manager_settings};

	SEND(l, SETTINGS, settings, 0, &m, NULL, 0);
}

void link_quit(struct launcher *l, uint8_t how)
{
	struct wire_end m = {.how = how};

	SEND(l, QUIT, end, 0, &m, NULL, 0);
}

void link_reopen(struct launcher *l)
{
	struct wire_reopen m = {.log_sink = (uint8_t)l->log_sink};
	fp_autoclose int log = log_target_share(l);

	SEND(l, REOPEN, reopen, 0, &m, &log, log >= 0 ? 1 : 0);
}

void link_want_reload(struct launcher *l)
{
	struct wire_empty m = {};

	l->reload_wanted = true; /* until a manager asks: this one may die before it does */
	SEND(l, WANT_RELOAD, empty, 0, &m, NULL, 0);
}

void link_answer_reload(struct launcher *l, uint32_t seq, int code, const char *text)
{
	char cut[WIRE_DGRAM_MAX / 2];
	struct wire_answer a = {.code = code, .value = l->generation, .text = cut};

	snprintf(cut, sizeof(cut), "%s", text);
	link_answer(l, seq, &a, NULL, 0);
}

/* ---- the start of a manager ---- */

static void tell_listener(struct launcher *l, const struct pool *p, const struct pool_entry *e)
{
	struct listener *li = e != NULL ? e->listener : NULL;
	struct wire_listener m = {.pool = p->name};
	int fds[2];

	if (li == NULL)
		return;
	m.generation = e->last;
	m.address = li->how.address;
	m.withdrawn = li->withdrawn;
	fds[0] = li->fd;
	fds[1] = li->door;
	SEND(l, LISTENER, listener, 0, &m, fds, li->door >= 0 ? 2 : 1);
}

static void tell_pool(struct launcher *l, struct pool *p, void *ctx)
{
	(void)ctx;
	if (p->current != NULL)
		link_pool(l, p, p->current);
	if (p->candidate != NULL)
		link_pool(l, p, p->candidate);
	if (p->removed)
		link_gone_pool(l, p);
	if (p->board.memory >= 0)
		link_board(l, p);
	tell_listener(l, p, p->current);
	tell_listener(l, p, p->candidate);
}

void link_worker(struct launcher *l, struct worker *w)
{
	struct wire_worker m = {
		.worker = w->id,
		.pool = w->pool->name,
		.generation = w->generation,
		.tag = w->tag,
		.pid = w->child.pid,
		.spawned_ms = w->spawned_ms,
		.stage = (uint8_t)w->stage,
		.signalled_ms = w->signalled_ms,
		.how = (uint8_t)w->how,
		.slot = w->slot,
		.hooked = w->hooked,
	};

	SEND(l, WORKER, worker, 0, &m, &w->output.fd, w->output.fd >= 0 ? 1 : 0);
}

static void tell_worker(struct launcher *l, struct worker *w, void *ctx)
{
	(void)ctx;
	link_worker(l, w);
}

static void tell_hello(struct launcher *l)
{
	struct wire_hello m = {
		.launcher_pid = getpid(),
		.started_ms = l->started_ms,
		.starts = l->manager_starts,
		.generation = l->generation,
		.flags = l->ordinary,
		.log_sink = (uint8_t)l->log_sink,
		.version = FCGIPM_VERSION,
		.config = l->config,
	};
	fp_autoclose int log = log_target_share(l);
	int fds[3] = {l->control_fd, log >= 0 ? log : l->null_fd, l->state_fd};

	SEND(l, HELLO, hello, 0, &m, fds, l->state_fd >= 0 ? 3 : 2);
}

static void link_ready(void *ctx, uint32_t events);

void link_open(struct launcher *l, int sock)
{
	struct wire_empty nothing = {};

	l->link = (struct loop_source){.fd = sock, .events = EPOLLIN, .ready = link_ready, .ctx = l};
	loop_watch(&l->loop, &l->link);
	workers_drain(l, false);
	tell_hello(l);
	link_settings(l);
	pool_each(l, tell_pool, NULL);
	workers_each(l, tell_worker, NULL);
	link_ledger(l);
	SEND(l, GO, empty, 0, &nothing, NULL, 0);
	if (l->phase == PHASE_ENDING)
		link_quit(l, l->ending_how);
	else if (l->reload_wanted)
		link_want_reload(l);
}

void link_close(struct launcher *l)
{
	if (l->link.fd < 0)
		return;
	loop_unwatch(&l->loop, &l->link);
	fp_close(&l->link.fd);
	outbox_clear(&l->outbox);
	l->reload_wanted |= l->reload_seq != 0 || l->reload_next != 0;
	if (l->reload_seq != 0)
		load_cancel(l); /* a reload takes effect only under the manager that asked: the next one may be in the middle of another */
	l->reload_seq = l->reload_next = 0;
	workers_drain(l, true);
}

/* ---- what the manager sends ---- */

/* Its exit follows, or is brought about: without the link it is of no use. */
static void link_lost(struct launcher *l)
{
	link_close(l);
	child_limit(&l->manager_child, LINK_LOST_MS);
}

static void link_ready(void *ctx, uint32_t events)
{
	static struct wire_dgram in;
	struct launcher *l = ctx;
	int r;

	if ((events & EPOLLOUT) != 0) {
		outbox_flush(&l->outbox, l->link.fd);
		link_watch(l);
	}
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0)
		return;
	r = wire_recv(l->link.fd, &in);
	if (r == 1)
		requests_take(l, &in);
	else if (r == 0)
		link_lost(l);
	else if (r == -EMSGSIZE || r == -EPROTO)
		manager_refuse(l, r == -EMSGSIZE ? "too long" : "malformed", "?", 0, EPROTO);
	else if (r != -EAGAIN && r != -EINTR)
		link_lost(l);
}

void manager_refuse(struct launcher *l, const char *reason, const char *what, uint32_t seq, int code)
{
	l->refused++;
	/* The first ones in full, then every power of two: a flood does not fill the log. */
	if (l->refused <= 16 || (l->refused & (l->refused - 1)) == 0)
		log_warn("manager.refused", KS("reason", reason), KS("message", what), KI("count", l->refused));
	link_answer_code(l, seq, code, reason);
}
