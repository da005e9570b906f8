/* Requests of the manager (launcher process).  Every message comes through one table that fixes its phase, length and descriptors; what does not fit is
 * refused by name, counted and answered, and nothing else suffers from it. */
#include "fcgipm/launcher/requests.h"

#include <errno.h>
#include <stdlib.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/launcher/ending.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/link.h"
#include "fcgipm/launcher/load.h"
#include "fcgipm/launcher/manager.h"
#include "fcgipm/launcher/notify.h"
#include "fcgipm/launcher/output_file.h"
#include "fcgipm/wire/launcher.h"
#include "fcgipm/wire/table.h"

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
		link_answer(a->launcher, a->seq, m, fds, nfds);
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

struct replacement {
	struct listener *shut, *by;
};

static void replace_in(struct launcher *l, struct pool_entry *e, const struct replacement *r)
{
	if (e == NULL || e->listener != r->shut)
		return;
	e->listener = listener_ref(r->by);
	listener_unref(l, r->shut);
}

static void replace_in_pool(struct launcher *l, struct pool *p, void *ctx)
{
	replace_in(l, p->current, ctx);
	replace_in(l, p->candidate, ctx);
}

/* Whoever else listens on it, the other spec of the pool above all, gets the new one too. */
static void entry_listen(struct launcher *l, struct pool_entry *e, struct listener *li)
{
	struct replacement r = {.shut = e->listener, .by = li};

	e->listener = li;
	if (r.shut == NULL)
		return;
	pool_each(l, replace_in_pool, &r);
	listener_unref(l, r.shut);
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
	if (a->entry->listener != li)
		entry_listen(a->launcher, a->entry, li);
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
		link_answer_code(l, d->seq, -EBUSY, "a bind of this pool is under way");
		return 0;
	}
	if (spec_pool_decode(e->spec, &spec, NULL) < 0 || (a = asker_new(l, d->seq, e)) == NULL) {
		link_answer_code(l, d->seq, -ENOMEM, "no memory");
		return 0;
	}
	if (e->listener != NULL && (m.renew == 0 || !listener_drop_if_shut(l, e->listener))) {
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

struct listener_users {
	const struct listener *listener;
	unsigned count;
};

static void count_users(struct launcher *l, struct pool *p, void *ctx)
{
	struct listener_users *u = ctx;

	(void)l;
	u->count += p->current != NULL && p->current->listener == u->listener;
	u->count += p->candidate != NULL && p->candidate->listener == u->listener;
}

/* Another spec listens on the same socket, of this pool or of one that takes its place under another name: the name stays for that. */
static bool is_shared(struct launcher *l, const struct listener *li)
{
	struct listener_users u = {.listener = li};

	pool_each(l, count_users, &u);
	return u.count > 1;
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
	if (e->listener != NULL && !is_shared(l, e->listener))
		listener_withdraw(l, e->listener);
	if (m.how == 1) {
		listener_unref(l, e->listener);
		e->listener = NULL;
	}
	link_answer_code(l, d->seq, 0, "");
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

	if (!wire_read_spawn(&r, &m) || !wire_done(&r) || m.how >= WIRE_START_COUNT)
		return -EBADMSG;
	if (entry_or_answer(l, d->seq, m.pool, m.generation, &p) == NULL)
		return 0;
	if (m.how == WIRE_START_FORK)
		rc = worker_fork_from(l, p, &m, d->seq, &err);
	else
		rc = worker_spawn(l, p, &m, &w, &err);
	if (rc == -EAGAIN) {
		manager_refuse(l, err.text, m.pool, d->seq, EAGAIN);
	} else if (rc < 0) {
		link_answer_code(l, d->seq, rc, err.text);
	} else if (w != NULL) {
		struct wire_answer a = {.value = w->id, .number = w->child.pid, .text = ""};

		link_answer(l, d->seq, &a, &w->output.fd, w->output.fd >= 0 ? 1 : 0);
	}
	return 0;
}

static struct worker *worker_or_answer(struct launcher *l, uint32_t seq, uint64_t id)
{
	struct worker *w = worker_find(l, id);

	/* A worker that has just died is an ordinary race; a number that never was ours is not. */
	if (w == NULL && (id >> 32) != 0 && (id >> 32) <= l->workers.serial)
		link_answer(l, seq, &(struct wire_answer){.number = WIRE_LOOK_GONE, .code = ESRCH, .text = "gone"}, NULL, 0);
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
		link_answer(l, d->seq, &(struct wire_answer){.number = act(l, w), .text = ""}, NULL, 0);
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
		link_answer_code(l, d->seq, 0, "");
	return 0;
}

static int on_cut(void *ctx, struct wire_dgram *d)
{
	struct launcher *l = ctx;
	struct wire_rd r = wire_body(d);
	struct wire_cut m;
	struct worker *w;

	if (!wire_read_cut(&r, &m) || !wire_done(&r))
		return -EBADMSG;
	w = worker_or_answer(l, d->seq, m.worker);
	if (w != NULL)
		link_answer(l, d->seq, &(struct wire_answer){.number = worker_cut(l, w, m.since_ns), .text = ""}, NULL, 0);
	return 0;
}

static int on_state(void *ctx, struct wire_dgram *d)
{
	struct launcher *l = ctx;

	fp_close(&l->state_fd);
	l->state_fd = wire_take_fd(d, 0);
	link_answer_code(l, d->seq, 0, "");
	return 0;
}

void requests_reload_next(struct launcher *l)
{
	struct fp_err err = {0};
	int rc;

	if (l->reload_next == 0)
		return;
	l->reload_seq = l->reload_next;
	l->reload_next = 0;
	if (l->phase != PHASE_SERVING) {
		link_answer_code(l, l->reload_seq, -ESHUTDOWN, "fcgipm is stopping");
		l->reload_seq = 0;
		return;
	}
	rc = load_start(l, LOAD_RELOAD, &err);
	if (rc < 0) {
		link_answer_code(l, l->reload_seq, rc, err.text);
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
	load_settled(l);
	if (l->load == NULL)
		requests_reload_next(l);
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
		link_answer_code(l, d->seq, rc, rc < 0 ? "the pool still has workers" : "");
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
		link_answer_code(l, d->seq, -ENOMEM, "no memory");
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
	if (m.what == NOTIFY_READY)
		load_settled(l);
	link_answer_code(l, d->seq, 0, "");
	return 0;
}

static int on_end(void *ctx, struct wire_dgram *d)
{
	struct launcher *l = ctx;
	struct wire_rd r = wire_body(d);
	struct wire_end m;

	if (!wire_read_end(&r, &m) || !wire_done(&r) || m.how > 2)
		return -EBADMSG;
	link_answer_code(l, d->seq, 0, "");
	if (m.how < 2)
		ending_begin(l, m.how);
	else if (l->phase == PHASE_ENDING)
		ending_finish(l);
	return 0;
}

static int on_exec(void *ctx, struct wire_dgram *d)
{
	struct launcher *l = ctx;

	exec_client_take(l, wire_take_fd(d, 0));
	link_answer_code(l, d->seq, 0, "");
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
#define on_EXEC   on_exec
#define on_CUT    on_cut
#define SERVING   PHASE_SERVING
#define ENDING    PHASE_ENDING
#define ROW(type, NAME, fields, when, most, least_fds, most_fds)                                                                                               \
	[type] = {.name = #NAME, .handle = on_##NAME, .phases = (when), .max_len = (most), .min_fds = (least_fds), .max_fds = (most_fds)},
static const struct wire_row rows[] = {WIRE_LAUNCHER_REQUESTS(ROW)};
#undef SERVING
#undef ENDING

void requests_take(struct launcher *l, struct wire_dgram *d)
{
	uint32_t seq = d->seq;
	const char *name;
	enum wire_refusal why = wire_dispatch(&WIRE_TABLE(rows), l->phase, l, d, &name);

	if (why != WIRE_ACCEPTED)
		manager_refuse(l, wire_refusal_name(why), name, seq, EPROTO);
}
