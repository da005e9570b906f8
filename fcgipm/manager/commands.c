/* Commands (manager process).  The table says who may; a handler only ever sees a request of the right shape from one who may. */
#include "fcgipm/manager/commands.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/manager/lease.h"
#include "include/fcgipm/protocol.h"
#include "fcgipm/manager/manager.h"
#include "fcgipm/manager/snapshot.h"
#include "fcgipm/manager/transition.h"
#include "fcgipm/wire/control.h"

/* Who may.  FRONTEND is of a pool: the handler asks.  ANYBODY: the launcher judges. */
enum who { OBSERVER, OPERATOR, FRONTEND, ANYBODY };

#define READ_OR_RETURN(d, name, m)                                                                                                                             \
	do {                                                                                                                                                   \
		struct wire_rd r_ = wire_body(d);                                                                                                              \
		if (!wire_read_##name(&r_, (m)) || !wire_done(&r_))                                                                                            \
			return -EBADMSG;                                                                                                                       \
	} while (0)

static void answer(struct client *c, uint32_t seq, unsigned code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void answer(struct client *c, uint32_t seq, unsigned code, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	control_done(c, seq, code, text);
}

/* The pool that a command names; NULL when the client has got its no. */
static struct pool *named_pool(struct client *c, uint32_t seq, const char *name)
{
	struct pool *p = manager_pool(c->m, name);

	if (p == NULL || pool_wanted(p) == NULL)
		answer(c, seq, 1, "no such pool: %s", name);
	else if (p->removing)
		answer(c, seq, 1, "pool %s is being removed", name);
	else if (c->m->quit != QUIT_NOT)
		answer(c, seq, 1, "fcgipm stops");
	else
		return p;
	return NULL;
}

/* Notes the wish, or says done at once to one who does not wait. */
static struct op *wish(struct client *c, uint32_t seq, enum op_kind kind, struct pool *p, bool no_wait)
{
	struct op *op;

	if (no_wait) {
		control_done(c, seq, 0, "");
		return NULL;
	}
	op = op_begin(c->m, kind, p, c, seq);
	if (op == NULL)
		control_done(c, seq, 1, "no memory");
	return op;
}

static void log_command(const struct client *c, const char *name, const char *pool)
{
	log_info("control.command", KS("command", name), KS("pool", pool), KI("uid", c->peer.uid), KI("pid", c->peer.pid));
}

static int on_C_STATUS(void *ctx, struct wire_dgram *d)
{
	struct client *c = ctx;
	struct wire_c_pool m;
	fp_autoclose int fd = -1;
	int r;

	READ_OR_RETURN(d, c_pool, &m);
	if (m.pool[0] != '\0' && manager_pool(c->m, m.pool) == NULL) {
		answer(c, d->seq, 1, "no such pool: %s", m.pool);
		return 0;
	}
	r = snapshot_make(c->m, m.pool, &fd);
	if (r < 0)
		answer(c, d->seq, 1, "cannot make the status: %s", strerror(-r));
	else
		control_done_fd(c, d->seq, fd);
	return 0;
}

static int on_C_RELOAD(void *ctx, struct wire_dgram *d)
{
	struct client *c = ctx;
	struct wire_c_reload m;
	struct op *op;

	READ_OR_RETURN(d, c_reload, &m);
	log_command(c, "reload", "");
	if (c->m->quit != QUIT_NOT) {
		answer(c, d->seq, 1, "fcgipm stops");
		return 0;
	}
	if (m.no_wait != 0)
		control_done(c, d->seq, 0, "");
	op = op_begin(c->m, OP_RELOAD, NULL, m.no_wait != 0 ? NULL : c, d->seq);
	if (op != NULL)
		op->round = reload_ask(c->m);
	else if (m.no_wait == 0)
		control_done(c, d->seq, 1, "no memory");
	return 0;
}

/* A pool that could not even be bound is tried again from the start. */
static void revive(struct pool *p)
{
	struct pool_spec *s = p->candidate;

	if (p->failed)
		template_try(p);
	p->failed = p->stopped = false;
	p->backoff = p->renewal = (struct backoff){0};
	p->held_until_ms = 0;
	if (p->current == NULL && p->transition.stage == TRANSITION_NONE) {
		p->candidate = NULL;
		transition_offer(p, s);
	}
	state_save(p);
	pool_touch(p);
}

/* What a look with the account's own rights found does not go away by asking again: the next reload looks again. */
static bool is_unfit(struct client *c, uint32_t seq, const struct pool *p)
{
	const char *failure = pool_wanted(p)->failure;

	if (failure != NULL)
		answer(c, seq, 1, "pool %s cannot run: %s", p->name, failure);
	return failure != NULL;
}

static int on_C_RESTART(void *ctx, struct wire_dgram *d)
{
	struct client *c = ctx;
	struct wire_c_pool m;
	struct pool *p;
	struct op *op;

	READ_OR_RETURN(d, c_pool, &m);
	log_command(c, "restart", m.pool);
	p = named_pool(c, d->seq, m.pool);
	if (p == NULL || is_unfit(c, d->seq, p))
		return 0;
	if (p->stopped) {
		answer(c, d->seq, 1, "pool %s is stopped", p->name);
		return 0;
	}
	if (p->current == NULL)
		revive(p);
	else
		transition_restart(p, "restart");
	op = wish(c, d->seq, OP_RESTART, p, m.no_wait != 0);
	if (op != NULL)
		op->tag = p->tag;
	return 0;
}

static const char *scale_refused(const struct pool *p, const struct wire_c_scale *m)
{
	const struct pool_settings *s = &pool_wanted(p)->set;
	int64_t max = m->max >= 0 ? m->max : (int64_t)pool_max(p);
	int64_t min = m->min >= 0 ? m->min : (int64_t)pool_min(p);

	if (m->min < -1 || m->max < -1 || (m->min < 0 && m->max < 0))
		return "neither min nor max";
	if (max < 1)
		return "max is at least 1";
	if (max > s->workers_max)
		return "max is above workers.max of the configuration";
	return min > max ? "min is above max" : NULL;
}

static int on_C_SCALE(void *ctx, struct wire_dgram *d)
{
	struct client *c = ctx;
	struct wire_c_scale m;
	struct pool *p;
	const char *refused;

	READ_OR_RETURN(d, c_scale, &m);
	log_command(c, "scale", m.pool);
	p = named_pool(c, d->seq, m.pool);
	if (p == NULL)
		return 0;
	refused = scale_refused(p, &m);
	if (refused != NULL) {
		answer(c, d->seq, 1, "pool %s: %s (%u)", p->name, refused, pool_wanted(p)->set.workers_max);
		return 0;
	}
	if (m.min >= 0)
		p->min_override = m.min;
	if (m.max >= 0)
		p->max_override = m.max;
	state_save(p);
	pool_touch(p);
	wish(c, d->seq, OP_SCALE, p, m.no_wait != 0);
	return 0;
}

static int on_C_STOP(void *ctx, struct wire_dgram *d)
{
	struct client *c = ctx;
	struct wire_c_pool m;
	struct pool *p;

	READ_OR_RETURN(d, c_pool, &m);
	log_command(c, "stop", m.pool);
	p = named_pool(c, d->seq, m.pool);
	if (p == NULL)
		return 0;
	p->stopped = true;
	state_save(p);
	pool_touch(p);
	wish(c, d->seq, OP_STOP, p, m.no_wait != 0);
	return 0;
}

static int on_C_START(void *ctx, struct wire_dgram *d)
{
	struct client *c = ctx;
	struct wire_c_pool m;
	struct pool *p;

	READ_OR_RETURN(d, c_pool, &m);
	log_command(c, "start", m.pool);
	p = named_pool(c, d->seq, m.pool);
	if (p == NULL || is_unfit(c, d->seq, p))
		return 0;
	revive(p);
	wish(c, d->seq, OP_START, p, m.no_wait != 0);
	return 0;
}

static int on_C_SHUTDOWN(void *ctx, struct wire_dgram *d)
{
	struct client *c = ctx;
	struct wire_c_shutdown m;

	READ_OR_RETURN(d, c_shutdown, &m);
	log_command(c, m.now != 0 ? "shutdown --now" : "shutdown", "");
	wish(c, d->seq, OP_SHUTDOWN, NULL, false);
	link_end(&c->m->link, m.now != 0 ? 1 : 0); /* the launcher answers by QUIT */
	return 0;
}

static int on_C_LEASE(void *ctx, struct wire_dgram *d)
{
	struct client *c = ctx;
	char why[FCGIPM_POOL_NAME_MAX + 64];
	struct wire_c_pool m;
	struct pool *p;

	READ_OR_RETURN(d, c_pool, &m);
	c->leases = true;
	c->told = false;
	p = manager_pool(c->m, m.pool);
	/* Who may not lease a pool does not learn whether there is one. */
	if (p != NULL && pool_wanted(p) != NULL && lease_permitted(p, &c->peer)) {
		lease_give(p, c, d->seq);
		return 0;
	}
	snprintf(why, sizeof(why), "no such pool, or no right to lease it: %s", m.pool);
	lease_refuse(c->m, c, d->seq, why);
	return 0;
}

static int on_C_EXEC(void *ctx, struct wire_dgram *d)
{
	struct client *c = ctx;
	struct wire_c_exec m;

	READ_OR_RETURN(d, c_exec, &m);
	if (c->m->quit != QUIT_NOT || c->pending > 0) {
		answer(c, d->seq, FCGIPM_EXIT_NO, c->pending > 0 ? "other requests wait on this connection" : "fcgipm stops");
		return 0;
	}
	link_exec(&c->m->link, c->fd);
	control_hand_over(c);
	return 0;
}

/* ---- who may ---- */

bool commands_may_operate(const struct manager *m, const struct probe_peer *peer)
{
	return m->settings != NULL && (acl_names(&m->settings->operators_acl, peer) || (m->ordinary && peer->uid == geteuid()));
}

static bool may(const struct client *c, uint32_t who)
{
	const struct manager_settings *s = c->m->settings;

	if (commands_may_operate(c->m, &c->peer))
		return true;
	return s != NULL && who == 1u << OBSERVER && acl_names(&s->observers_acl, &c->peer);
}

#define ROW(type, NAME, fields, who, most) [type] = {.name = #NAME, .handle = on_##NAME, .phases = 1u << (who), .max_len = (most), .max_fds = 0},
static const struct wire_row rows[] = {WIRE_CONTROL_REQUESTS(ROW)};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

enum wire_refusal commands_dispatch(struct client *c, struct wire_dgram *d, const char **ret_name)
{
	uint32_t who = d->type < ROWS ? rows[d->type].phases : 0;

	if (who != 0 && who < 1u << FRONTEND && !may(c, who)) {
		log_warn("control.denied", KS("command", rows[d->type].name), KI("uid", c->peer.uid), KI("pid", c->peer.pid));
		wire_dgram_close(d);
		control_done(c, d->seq, 1, "permission denied");
		return WIRE_ACCEPTED;
	}
	return wire_dispatch(&(struct wire_table){rows, ROWS}, who, c, d, ret_name);
}
