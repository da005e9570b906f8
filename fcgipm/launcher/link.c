/* Requests of the manager (launcher process).  Every message comes through one table that fixes its phase, length and descriptors; what does not fit is
 * refused by name, counted and answered, and nothing else suffers from it. */
#include "fcgipm/launcher/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/launcher/ending.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/load.h"
#include "fcgipm/launcher/manager.h"
#include "fcgipm/launcher/notify.h"
#include "fcgipm/launcher/output_file.h"
#include "fcgipm/wire/table.h"
#include "include/fcgipm/protocol.h"

enum { UNREAD_MAX_BYTES = 1 << 20 };

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
		if (wire_end(&out, &w_) == 0)                                                                                                                  \
			link_put((l), (fds), (nfds));                                                                                                          \
	} while (0)

static void answer(struct launcher *l, uint32_t seq, const struct wire_answer *a, const int *fds, unsigned nfds)
{
	if (seq != 0)
		SEND(l, ANSWER, answer, seq, a, fds, nfds);
}

static void answer_code(struct launcher *l, uint32_t seq, int r, const char *text)
{
	answer(l, seq, &(struct wire_answer){.code = r < 0 ? -r : r, .text = text}, NULL, 0);
}

void link_started(struct launcher *l, const struct wire_worker_id *m)
{
	SEND(l, STARTED, worker_id, 0, m, NULL, 0);
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
	struct wire_empty m = {};

	SEND(l, REOPEN, empty, 0, &m, &l->log_fd, 1);
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
	answer(l, seq, &a, NULL, 0);
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
	tell_listener(l, p, p->current);
	tell_listener(l, p, p->candidate);
}

static void tell_worker(struct launcher *l, struct worker *w, void *ctx)
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
	};

	(void)ctx;
	SEND(l, WORKER, worker, 0, &m, &w->output.fd, w->output.fd >= 0 ? 1 : 0);
}

static void tell_hello(struct launcher *l)
{
	struct wire_hello m = {
		.launcher_pid = getpid(),
		.started_ms = l->started_ms,
		.starts = l->manager_starts,
		.generation = l->generation,
		.flags = l->ordinary,
		.version = FCGIPM_VERSION,
		.config = l->config,
	};
	int fds[3] = {l->control_fd, l->log_fd, l->state_fd};

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
	l->reload_seq = l->reload_next = 0;
	workers_drain(l, true);
}

/* ---- requests ---- */

/* A deferred answer is for the manager that asked, not for its successor. */
struct asker {
	struct launcher *launcher;
	uint32_t seq, manager;
	struct pool_entry *entry; /* a reference: a reload may drop it meanwhile */
};

static struct asker *asker_new(struct launcher *l, uint32_t seq, struct pool_entry *e)
{
	struct asker *a = malloc(sizeof(*a));

	if (a != NULL)
		*a = (struct asker){.launcher = l, .seq = seq, .manager = l->manager_starts, .entry = pool_entry_ref(e)};
	return a;
}

static void asker_answer(struct asker *a, const struct wire_answer *m, const int *fds, unsigned nfds)
{
	if (a->manager == a->launcher->manager_starts)
		answer(a->launcher, a->seq, m, fds, nfds);
	pool_entry_unref(a->launcher, a->entry);
	free(a);
}

/* Names a pool and generation, or answers that there is none. */
static struct pool_entry *entry_or_answer(struct launcher *l, uint32_t seq, const char *name, uint32_t generation, struct pool **ret)
{
	struct pool *p = pool_find(&l->pools, name);
	struct pool_entry *e = p != NULL ? pool_entry_of(p, generation) : NULL;

	if (p == NULL)
		manager_refuse(l, "unknown pool", name, seq, ENOENT);
	else if (e == NULL)
		manager_refuse(l, "unknown generation", name, seq, ENOENT);
	*ret = p;
	return e;
}

static void bind_done(struct listener *li, int error, const struct fp_err *err, void *ctx)
{
	struct asker *a = ctx;
	struct wire_answer m = {.code = error < 0 ? -error : 0, .text = err->text};
	int fds[2];

	a->entry->binding = false;
	if (li == NULL) {
		asker_answer(a, &m, NULL, 0);
		return;
	}
	a->entry->listener = li;
	m.text = li->how.address;
	fds[0] = li->fd;
	fds[1] = li->door;
	asker_answer(a, &m, fds, li->door >= 0 ? 2 : 1);
}

static int on_bind(void *ctx, struct wire_dgram *d)
{
	struct launcher *l = ctx;
	struct wire_rd r = wire_body(d);
	struct wire_bind m;
	struct pool *p;
	struct pool_entry *e;
	struct spec_pool spec;
	struct asker *a;
	int rc;

	if (!wire_read_bind(&r, &m) || !wire_done(&r))
		return -EBADMSG;
	e = entry_or_answer(l, d->seq, m.pool, m.generation, &p);
	if (e == NULL)
		return 0;
	if (e->binding) {
		answer_code(l, d->seq, -EBUSY, "a bind of this pool is under way");
		return 0;
	}
	if (spec_pool_decode(e->spec, &spec, NULL) < 0 || (a = asker_new(l, d->seq, e)) == NULL) {
		answer_code(l, d->seq, -ENOMEM, "no memory");
		return 0;
	}
	if (m.renew != 0 && e->listener != NULL && listener_drop_if_shut(l, e->listener)) {
		listener_unref(l, e->listener);
		e->listener = NULL;
	}
	if (e->listener != NULL) {
		bind_done(e->listener, 0, &(struct fp_err){0}, a);
	} else {
		e->binding = true;
		rc = listener_get(l, &spec, bind_done, a);
		if (rc < 0)
			bind_done(NULL, rc, &(struct fp_err){.text = "no memory"}, a);
	}
	spec_pool_free(&spec);
	return 0;
}

/* Both specs of the pool listen on the same socket: its name stays for the other one. */
static bool pool_shares_listener(const struct pool *p)
{
	return p->current != NULL && p->candidate != NULL && p->current->listener == p->candidate->listener;
}

static int on_unbind(void *ctx, struct wire_dgram *d)
{
	struct launcher *l = ctx;
	struct wire_rd r = wire_body(d);
	struct wire_unbind m;
	struct pool *p;
	struct pool_entry *e;

	if (!wire_read_unbind(&r, &m) || !wire_done(&r) || m.how > 1)
		return -EBADMSG;
	e = entry_or_answer(l, d->seq, m.pool, m.generation, &p);
	if (e == NULL)
		return 0;
	if (e->listener != NULL && !pool_shares_listener(p))
		listener_withdraw(l, e->listener);
	if (m.how == 1) {
		listener_unref(l, e->listener);
		e->listener = NULL;
	}
	answer_code(l, d->seq, 0, "");
	return 0;
}

static int on_spawn(void *ctx, struct wire_dgram *d)
{
	struct launcher *l = ctx;
	struct wire_rd r = wire_body(d);
	struct wire_spawn m;
	struct pool *p;
	struct worker *w = NULL;
	struct fp_err err = {0};
	int rc;

	if (!wire_read_spawn(&r, &m) || !wire_done(&r))
		return -EBADMSG;
	if (entry_or_answer(l, d->seq, m.pool, m.generation, &p) == NULL)
		return 0;
	rc = worker_spawn(l, p, &m, &w, &err);
	if (rc == -EAGAIN) {
		manager_refuse(l, err.text, m.pool, d->seq, EAGAIN);
	} else if (rc < 0) {
		answer_code(l, d->seq, rc, err.text);
	} else {
		struct wire_answer a = {.value = w->id, .number = w->child.pid, .text = ""};

		answer(l, d->seq, &a, &w->output.fd, w->output.fd >= 0 ? 1 : 0);
	}
	return 0;
}

static struct worker *worker_or_answer(struct launcher *l, uint32_t seq, uint64_t id)
{
	struct worker *w = worker_find(l, id);

	/* A worker that has just died is an ordinary race; a number that never was ours is not. */
	if (w == NULL && (id >> 32) != 0 && (id >> 32) <= l->workers.serial)
		answer(l, seq, &(struct wire_answer){.number = WIRE_LOOK_GONE, .code = ESRCH, .text = "gone"}, NULL, 0);
	else if (w == NULL)
		manager_refuse(l, "unknown worker", "", seq, ESRCH);
	return w;
}

static int look_or_retire(struct launcher *l, struct wire_dgram *d, enum wire_look (*act)(struct launcher *l, struct worker *w))
{
	struct wire_rd r = wire_body(d);
	struct wire_worker_id m;
	struct worker *w;

	if (!wire_read_worker_id(&r, &m) || !wire_done(&r))
		return -EBADMSG;
	w = worker_or_answer(l, d->seq, m.worker);
	if (w != NULL)
		answer(l, d->seq, &(struct wire_answer){.number = act(l, w), .text = ""}, NULL, 0);
	return 0;
}

static int on_look(void *ctx, struct wire_dgram *d)
{
	return look_or_retire(ctx, d, worker_look);
}

static int on_retire(void *ctx, struct wire_dgram *d)
{
	return look_or_retire(ctx, d, worker_retire);
}

static int on_signal(void *ctx, struct wire_dgram *d)
{
	struct launcher *l = ctx;
	struct wire_rd r = wire_body(d);
	struct wire_signal m;
	struct worker *w;

	if (!wire_read_signal(&r, &m) || !wire_done(&r))
		return -EBADMSG;
	w = worker_or_answer(l, d->seq, m.worker);
	if (w == NULL)
		return 0;
	if (worker_signal(l, w, m.signal) < 0)
		manager_refuse(l, "signal", w->pool->name, d->seq, EPERM);
	else
		answer_code(l, d->seq, 0, "");
	return 0;
}

static int on_state(void *ctx, struct wire_dgram *d)
{
	struct launcher *l = ctx;

	fp_close(&l->state_fd);
	l->state_fd = wire_take_fd(d, 0);
	answer_code(l, d->seq, 0, "");
	return 0;
}

void link_reload_next(struct launcher *l)
{
	struct fp_err err = {0};
	int rc;

	if (l->reload_next == 0)
		return;
	l->reload_seq = l->reload_next;
	l->reload_next = 0;
	rc = load_start(l, LOAD_RELOAD, &err);
	if (rc < 0) {
		answer_code(l, l->reload_seq, rc, err.text);
		l->reload_seq = 0;
	}
}

static int on_reload(void *ctx, struct wire_dgram *d)
{
	struct launcher *l = ctx;

	if (l->reload_seq != 0 || l->reload_next != 0) {
		manager_refuse(l, "a reload is under way", "", d->seq, EBUSY);
		return 0;
	}
	l->reload_wanted = false;
	l->reload_next = d->seq;
	if (l->load == NULL)
		link_reload_next(l);
	return 0;
}

static int on_commit(void *ctx, struct wire_dgram *d)
{
	struct launcher *l = ctx;
	struct wire_rd r = wire_body(d);
	struct wire_commit m;
	struct pool *p;
	int rc;

	if (!wire_read_commit(&r, &m) || !wire_done(&r))
		return -EBADMSG;
	p = pool_find(&l->pools, m.pool);
	if (p == NULL || (rc = pool_commit(l, p, m.generation)) == -ENOENT)
		manager_refuse(l, p == NULL ? "unknown pool" : "unknown generation", m.pool, d->seq, ENOENT);
	else
		answer_code(l, d->seq, rc, rc < 0 ? "the pool still has workers" : "");
	return 0;
}

static void output_opened(int fd, int error, const struct fp_err *err, void *ctx)
{
	struct asker *a = ctx;

	if (a->entry->opening_for == a->manager)
		a->entry->opening_for = 0;
	asker_answer(a, &(struct wire_answer){.code = error < 0 ? -error : 0, .text = err->text}, &fd, fd >= 0 ? 1 : 0);
}

static int on_output(void *ctx, struct wire_dgram *d)
{
	struct launcher *l = ctx;
	struct wire_rd r = wire_body(d);
	struct wire_commit m;
	struct pool *p;
	struct pool_entry *e;
	struct asker *a;

	if (!wire_read_commit(&r, &m) || !wire_done(&r))
		return -EBADMSG;
	e = entry_or_answer(l, d->seq, m.pool, m.generation, &p);
	if (e == NULL)
		return 0;
	if (e->opening_for == l->manager_starts) {
		manager_refuse(l, "this output file is being opened", m.pool, d->seq, EBUSY);
		return 0;
	}
	a = asker_new(l, d->seq, e);
	if (a == NULL) {
		answer_code(l, d->seq, -ENOMEM, "no memory");
		return 0;
	}
	e->opening_for = l->manager_starts;
	output_file_open(l, e, output_opened, a);
	return 0;
}

static int on_notice(void *ctx, struct wire_dgram *d)
{
	struct launcher *l = ctx;
	struct wire_rd r = wire_body(d);
	struct wire_notice m;

	if (!wire_read_notice(&r, &m) || !wire_done(&r) || m.what > 2)
		return -EBADMSG;
	notify_supervisor(m.what);
	answer_code(l, d->seq, 0, "");
	return 0;
}

static int on_end(void *ctx, struct wire_dgram *d)
{
	struct launcher *l = ctx;
	struct wire_rd r = wire_body(d);
	struct wire_end m;

	if (!wire_read_end(&r, &m) || !wire_done(&r) || m.how > 2)
		return -EBADMSG;
	answer_code(l, d->seq, 0, "");
	if (m.how < 2)
		ending_begin(l, m.how);
	else if (l->phase == PHASE_ENDING)
		ending_finish(l);
	return 0;
}

/* ---- the table ---- */

#define on_BIND   on_bind
#define on_UNBIND on_unbind
#define on_SPAWN  on_spawn
#define on_LOOK   on_look
#define on_RETIRE on_retire
#define on_SIGNAL on_signal
#define on_STATE  on_state
#define on_RELOAD on_reload
#define on_COMMIT on_commit
#define on_OUTPUT on_output
#define on_NOTICE on_notice
#define on_END    on_end
#define SERVING   PHASE_SERVING
#define ENDING    PHASE_ENDING
#define ROW(type, NAME, fields, when, most, least_fds, most_fds)                                                                                               \
	[type] = {.name = #NAME, .handle = on_##NAME, .phases = (when), .max_len = (most), .min_fds = (least_fds), .max_fds = (most_fds)},
static const struct wire_row rows[] = {WIRE_LAUNCHER_REQUESTS(ROW)};
#undef SERVING
#undef ENDING

static void take_message(struct launcher *l, struct wire_dgram *d)
{
	uint32_t seq = d->seq;
	const char *name;
	enum wire_refusal why = wire_dispatch(&WIRE_TABLE(rows), l->phase, l, d, &name);

	if (why != WIRE_ACCEPTED)
		manager_refuse(l, wire_refusal_name(why), name, seq, EPROTO);
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
		take_message(l, &in);
	else if (r == 0)
		link_close(l); /* its exit follows */
	else if (r == -EMSGSIZE || r == -EPROTO)
		manager_refuse(l, r == -EMSGSIZE ? "too long" : "malformed", "?", 0, EPROTO);
	else if (r != -EAGAIN && r != -EINTR)
		link_close(l);
}

void manager_refuse(struct launcher *l, const char *reason, const char *what, uint32_t seq, int code)
{
	l->refused++;
	/* The first ones in full, then every power of two: a flood does not fill the log. */
	if (l->refused <= 16 || (l->refused & (l->refused - 1)) == 0)
		log_warn("manager.refused", KS("reason", reason), KS("message", what), KI("count", l->refused));
	answer_code(l, seq, code, reason);
}
