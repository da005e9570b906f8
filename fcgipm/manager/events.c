/* Events of the launcher (manager process).  First what it holds (HELLO to GO), then what happens. */
#include "fcgipm/manager/events.h"

#include <unistd.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/manager/boot.h"
#include "fcgipm/manager/crew.h"
#include "fcgipm/manager/ending.h"
#include "fcgipm/manager/listen.h"
#include "fcgipm/manager/manager.h"
#include "fcgipm/manager/removal.h"
#include "fcgipm/manager/shutdown.h"
#include "fcgipm/manager/steer.h"
#include "fcgipm/manager/transition.h"

/* Reads a whole message or returns from the handler. */
#define READ_OR_RETURN(d, name, m)                                                                                                                             \
	do {                                                                                                                                                   \
		struct wire_rd r_ = wire_body(d);                                                                                                              \
		if (!wire_read_##name(&r_, (m)) || !wire_done(&r_))                                                                                            \
			return -EBADMSG;                                                                                                                       \
	} while (0)

/* ---- what the launcher holds ---- */

static void take_state(struct manager *m, int fd)
{
	int r = -ENOENT;

	if (fd >= 0)
		r = state_open(&m->state, fd);
	if (r == 0)
		return;
	if (fd >= 0)
		log_warn("state.unreadable", KI("errno", -r));
	r = state_create(&m->state);
	if (r < 0)
		log_error("state.none", KI("errno", -r));
	else
		link_state(&m->link, m->state.fd, NULL, NULL);
}

static int on_HELLO(void *ctx, struct wire_dgram *d)
{
	struct manager *m = ctx;
	struct wire_hello h;

	READ_OR_RETURN(d, hello, &h);
	if (h.log_sink >= FP_LOG_SINK_COUNT)
		return -EBADMSG;
	m->launcher_pid = h.launcher_pid;
	m->launcher_started_ms = h.started_ms;
	m->starts = h.starts;
	m->generation = h.generation;
	m->ordinary = (h.flags & 1) != 0;
	m->version = strdup(h.version);
	m->log_fd = wire_take_fd(d, 1);
	m->log_sink = (enum fp_log_sink)h.log_sink;
	manager_log_setup(m);
	m->link.phase = LINK_LOADING;
	take_state(m, wire_take_fd(d, 2));
	return control_init(m, wire_take_fd(d, 0));
}

static int on_SETTINGS(void *ctx, struct wire_dgram *d)
{
	struct manager *m = ctx;
	struct wire_settings w;
	struct manager_settings *s;
	struct fp_err err = {0};

	READ_OR_RETURN(d, settings, &w);
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	if (settings_manager_decode(w.settings, s, &err) < 0) {
		free(s);
		return -EBADMSG;
	}
	m->generation = w.generation;
	manager_apply_settings(m, s);
	return 0;
}

/* The current spec: at the start; later only a word about it (what a look has found), or that a reload went back to it. */
static void take_current(struct pool *p, struct pool_spec *s)
{
	struct pool_spec *old = p->current;

	if (old != NULL) { /* the launcher has dropped the candidate by itself */
		s->generation = s->generation < old->generation ? s->generation : old->generation;
		pool_spec_free(p->candidate);
		p->candidate = NULL;
		if (p->transition.stage != TRANSITION_NONE) {
			p->transition.stage = TRANSITION_NONE;
			p->stable_tag = p->tag;
		}
		removal_cancel(p);
		reload_touches(p);
	} else if (p->floor == 0 || p->floor > s->generation) {
		p->floor = s->since;
	}
	p->current = s;
	pool_spec_free(old);
	p->failed = s->failure != NULL;
	if (s->failure == NULL)
		return;
	pool_set_error(p, "%s", s->failure);
	log_error("pool.failed", KS("pool", p->name), KI("crashes", 0), KS("error", s->failure));
}

/* A transition that the manager before us had begun; taken up at GO, when all is known.  One that it has tried in vain is not tried again. */
static void take_candidate(struct pool *p, struct pool_spec *s)
{
	bool tried = s->generation == p->failed_generation;

	if (tried && p->current != NULL) {
		pool_spec_free(s);
		return;
	}
	p->candidate = s;
	p->failed = tried;
}

static struct pool *intern(struct manager *m, const char *name)
{
	struct pool *p = manager_pool(m, name);

	if (p != NULL && p->removal == REMOVAL_FORGOTTEN) {
		state_forget(p); /* the launcher has forgotten it, and this is another one */
		pool_free(p);
		p = NULL;
	}
	if (p != NULL)
		return p;
	p = pool_new(m, name);
	if (p != NULL)
		state_load(p);
	return p;
}

static int on_POOL(void *ctx, struct wire_dgram *d)
{
	struct manager *m = ctx;
	struct wire_pool w;
	struct pool *p;
	struct pool_spec *s;
	struct fp_err err = {0};

	READ_OR_RETURN(d, pool, &w);
	if (w.pool[0] == '\0' || strlen(w.pool) > WIRE_POOL_NAME_MAX)
		return -EBADMSG;
	p = intern(m, w.pool);
	s = pool_spec_new(&w, &err);
	if (p == NULL || s == NULL)
		return -EBADMSG;
	pool_touch(p);
	if (w.which == 0) {
		take_current(p, s);
		return 0;
	}
	removal_cancel(p);
	reload_touches(p);
	if (m->running)
		transition_offer(p, s);
	else
		take_candidate(p, s);
	return 0;
}

static int on_GONE_POOL(void *ctx, struct wire_dgram *d)
{
	struct manager *m = ctx;
	struct wire_gone_pool w;
	struct pool *p;

	READ_OR_RETURN(d, gone_pool, &w);
	p = intern(m, w.pool);
	if (p == NULL)
		return -ENOMEM;
	reload_touches(p);
	removal_begin(p);
	return 0;
}

static int on_LISTENER(void *ctx, struct wire_dgram *d)
{
	struct manager *m = ctx;
	struct wire_listener w;
	struct pool *p;
	struct listener *li;

	READ_OR_RETURN(d, listener, &w);
	p = manager_pool(m, w.pool);
	li = p != NULL ? listener_new(m, d, w.generation, w.address) : NULL;
	if (li == NULL)
		return -EBADMSG;
	li->withdrawn = w.withdrawn != 0;
	if (p->listener == NULL && (p->candidate == NULL || p->current == NULL || w.generation != p->candidate->generation))
		p->listener = li;
	else
		listener_free(li); /* the candidate's is asked for again */
	return 0;
}

static int on_BOARD(void *ctx, struct wire_dgram *d)
{
	struct manager *m = ctx;
	struct wire_gone_pool w;
	struct pool *p;

	READ_OR_RETURN(d, gone_pool, &w);
	p = manager_pool(m, w.pool);
	if (p == NULL)
		return -EBADMSG;
	if (!board_open(p, wire_take_fd(d, 0), wire_take_fd(d, 1)))
		log_warn("board.unreadable", KS("pool", p->name));
	return 0;
}

static int on_LEDGER(void *ctx, struct wire_dgram *d)
{
	struct manager *m = ctx;
	struct wire_empty w;
	int r;

	READ_OR_RETURN(d, empty, &w);
	r = ledger_open(&m->ledger, wire_take_fd(d, 0));
	if (r < 0)
		log_warn("ledger.unreadable", KS("error", strerror(-r)));
	return 0;
}

static int on_HOOKED(void *ctx, struct wire_dgram *d)
{
	struct wire_hooked w;
	struct worker *t;

	READ_OR_RETURN(d, hooked, &w);
	t = manager_worker(ctx, w.worker);
	if (t == NULL)
		return -EBADMSG;
	template_hooked(t, w.reason);
	return 0;
}

static int on_WORKER(void *ctx, struct wire_dgram *d)
{
	struct manager *m = ctx;
	struct wire_worker w;
	struct pool *p;

	READ_OR_RETURN(d, worker, &w);
	p = manager_pool(m, w.pool);
	if (p == NULL || w.worker == 0)
		return -EBADMSG;
	return worker_adopt(p, &w, d) ? 0 : -ENOMEM;
}

/* All of it is known now: what was under way goes on. */
static void pool_go(struct pool *p)
{
	struct pool_spec *s = p->candidate;

	output_file_want(p, false);
	board_known(p);
	state_save(p);
	if (s != NULL && !p->failed && !p->removing) {
		p->candidate = NULL;
		transition_offer(p, s);
	} else if (p->tag != p->stable_tag && p->current != NULL && !p->removing) {
		transition_resume(p);
	}
}

static int on_GO(void *ctx, struct wire_dgram *d)
{
	struct manager *m = ctx;
	struct wire_empty w;

	READ_OR_RETURN(d, empty, &w);
	m->link.phase = LINK_RUNNING;
	m->running = true;
	log_info("manager.go", KI("pools", m->pool_count), KI("workers", m->worker_count), KI("starts", m->starts));
	for (struct pool *p = m->first_pool; p != NULL; p = p->next)
		pool_go(p);
	m->reload.stage = RELOAD_SETTLING; /* says ready when nothing is being replaced */
	steer_all(m);
	event_active(&m->steer, EV_TIMEOUT, 0);
	return 0;
}

/* ---- what happens ---- */

static int on_STARTED(void *ctx, struct wire_dgram *d)
{
	struct wire_worker_id w;
	struct worker *k;

	READ_OR_RETURN(d, worker_id, &w);
	k = manager_worker(ctx, w.worker);
	if (k == NULL)
		return -EBADMSG;
	if (k->state == WORKER_STARTING)
		worker_happened(k, WORKER_ON_EXECED);
	return 0;
}

static int on_EXITED(void *ctx, struct wire_dgram *d)
{
	struct wire_exited w;
	struct worker *k;

	READ_OR_RETURN(d, exited, &w);
	k = manager_worker(ctx, w.worker);
	if (k == NULL)
		return -EBADMSG;
	worker_exited(k, &w);
	return 0;
}

static int on_REOPEN(void *ctx, struct wire_dgram *d)
{
	struct manager *m = ctx;
	struct wire_reopen w;
	int fd;

	READ_OR_RETURN(d, reopen, &w);
	if (w.log_sink >= FP_LOG_SINK_COUNT)
		return -EBADMSG;
	fd = wire_take_fd(d, 0);
	if (fd >= 0) {
		fp_close(&m->log_fd);
		m->log_fd = fd;
		m->log_sink = (enum fp_log_sink)w.log_sink;
		manager_log_setup(m);
	}
	log_info("log.reopened", KI("pid", getpid()));
	for (struct pool *p = m->first_pool; p != NULL; p = p->next)
		if (p->output_fd >= 0)
			output_file_want(p, true);
	return 0;
}

static int on_QUIT(void *ctx, struct wire_dgram *d)
{
	struct wire_end w;

	READ_OR_RETURN(d, end, &w);
	shutdown_begin(ctx, w.how != 0);
	return 0;
}

static int on_WANT_RELOAD(void *ctx, struct wire_dgram *d)
{
	struct manager *m = ctx;
	struct wire_empty w;
	struct op *op;

	READ_OR_RETURN(d, empty, &w);
	if (m->quit != QUIT_NOT)
		return 0;
	op = op_begin(m, OP_RELOAD, NULL, NULL, 0);
	if (op != NULL)
		op->round = reload_ask(m);
	return 0;
}

/* ---- the table ---- */

#define ROW(NAME, when, least_fds, most_fds)                                                                                                                   \
	[WIRE_##NAME] = {.name = #NAME, .handle = on_##NAME, .phases = (when), .max_len = WIRE_DGRAM_MAX, .min_fds = (least_fds), .max_fds = (most_fds)}
static const struct wire_row rows[] = {
	ROW(HELLO, LINK_NEW, 2, 3),
	ROW(SETTINGS, LINK_LOADING | LINK_RUNNING, 0, 0),
	ROW(POOL, LINK_LOADING | LINK_RUNNING, 0, 0),
	ROW(GONE_POOL, LINK_LOADING | LINK_RUNNING, 0, 0),
	ROW(LISTENER, LINK_LOADING, 1, 2),
	ROW(WORKER, LINK_LOADING | LINK_RUNNING, 0, 1),
	ROW(GO, LINK_LOADING, 0, 0),
	ROW(BOARD, LINK_LOADING | LINK_RUNNING, 2, 2),
	ROW(HOOKED, LINK_RUNNING, 0, 0),
	ROW(LEDGER, LINK_LOADING | LINK_RUNNING, 0, 1),
	ROW(STARTED, LINK_RUNNING, 0, 0),
	ROW(EXITED, LINK_RUNNING, 0, 0),
	ROW(REOPEN, LINK_RUNNING, 0, 1),
	ROW(QUIT, LINK_RUNNING, 0, 0),
	ROW(WANT_RELOAD, LINK_RUNNING, 0, 0),
};

static void link_lost(void *ctx, const char *why)
{
	manager_fail(ctx, why);
}

void events_init(struct manager *m)
{
	m->link.rows = rows;
	m->link.row_count = sizeof(rows) / sizeof(rows[0]);
	m->link.ctx = m;
	m->link.lost = link_lost;
}
