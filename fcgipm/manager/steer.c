/* Steering (manager process): from what is wanted and what is, what to start and what to retire. */
#include "fcgipm/manager/steer.h"

#include "fcgipm/base/clock.h"
#include "fcgipm/base/log.h"
#include "fcgipm/manager/crew.h"
#include "fcgipm/manager/lease.h"
#include "fcgipm/manager/listen.h"
#include "fcgipm/manager/manager.h"
#include "fcgipm/manager/removal.h"
#include "fcgipm/manager/shutdown.h"
#include "fcgipm/manager/transition.h"
#include "fcgipm/pool/scale.h"

enum { LAST_REQUEST_MS = 10000, DRAIN_LOOK_MS = 10 };

/* ---- the list of pools to steer ---- */

void pool_touch(struct pool *p)
{
	struct manager *m = p->m;

	if (p->dirty)
		return;
	p->dirty = true;
	p->next_dirty = m->dirty;
	m->dirty = p;
	event_active(&m->steer, EV_TIMEOUT, 0);
}

void steer_forget(struct pool *p)
{
	struct pool **at = &p->m->dirty;

	while (*at != NULL && *at != p)
		at = &(*at)->next_dirty;
	if (*at != NULL)
		*at = p->next_dirty;
	p->dirty = false;
}

void steer_all(struct manager *m)
{
	for (struct pool *p = m->first_pool; p != NULL; p = p->next)
		pool_touch(p);
}

/* ---- who has to go ---- */

static uint32_t retire_each(struct pool *p, bool (*which)(const struct worker *w), enum retire_reason reason, uint32_t most)
{
	uint32_t count = 0;

	for (struct worker *w = p->workers; w != NULL && count < most; w = w->next) {
		if (!which(w) || w->retiring != RETIRE_NOT || !worker_accepts(w->state))
			continue;
		retire_worker(w, reason);
		count++;
	}
	return count;
}

static bool anyone(const struct worker *w)
{
	(void)w;
	return true;
}

static bool is_overdue(const struct worker *w)
{
	return w->overdue && !worker_is_old(w);
}

static bool is_surplus(const struct worker *w)
{
	return w->state == WORKER_READY && !worker_is_old(w);
}

/* Old workers go when the new kind is there; those of an address that was left stay until its queue is empty. */
static void steer_old(struct pool *p, const struct pool_census *c)
{
	if (p->transition.stage != TRANSITION_NONE || c->old_accepting == 0)
		return;
	if (p->leaving != NULL && listener_depth(p->m, p->leaving) > 0) {
		pool_touch_in(p, DRAIN_LOOK_MS);
		return;
	}
	retire_each(p, worker_is_old, RETIRE_REPLACED, UINT32_MAX);
}

static int64_t last_request_ms(const struct pool *p)
{
	int64_t idle = pool_wanted(p)->set.workers_idle_timeout;

	return idle > 0 && idle < LAST_REQUEST_MS ? idle : LAST_REQUEST_MS;
}

/* Nobody came for its last request. */
static bool waits_in_vain(const struct worker *w)
{
	return w->at_last_ms != 0 && fp_now_ms() - w->at_last_ms >= last_request_ms(w->pool) && !worker_is_old(w);
}

/* On its way to a kind that was itself replaced meanwhile: it has served nobody yet. */
static bool is_pointless(const struct worker *w)
{
	return worker_is_old(w) && !worker_is_stable(w) && !w->was_ready;
}

/* One that has lived long enough goes when its replacement is there, or first when there is no room for both. */
static void steer_overdue(struct pool *p, const struct pool_census *c, uint32_t room, uint32_t wanted)
{
	if (c->overdue == 0)
		return;
	pool_touch_in(p, last_request_ms(p));
	if (c->booting == 0 && c->ready >= wanted) {
		retire_each(p, is_overdue, RETIRE_LIFETIME, UINT32_MAX);
		retire_each(p, waits_in_vain, RETIRE_REQUESTS, UINT32_MAX);
	} else if (room == 0 && c->booting == 0 && c->retiring == 0) {
		retire_each(p, is_overdue, RETIRE_LIFETIME, 1);
	}
}

static void decided(struct pool *p, uint32_t from, uint32_t to, const char *reason)
{
	const struct decision d = {fp_now_ms(), from, to, p->queue.depth, p->queue.busy, reason};

	decisions_add(&p->decisions, &d);
}

/* ---- who has to come ---- */

/* What the launcher permits: twice max while another generation or incarnation lives, else max, and one more in whose place an overdue one can go: in a
 * pool at its max under load nobody would ever be found idle. */
static uint32_t pool_room(const struct pool *p, const struct pool_census *c)
{
	const struct pool_spec *s = pool_wanted(p);
	uint32_t most = s->set.workers_max, total = c->total;

	for (const struct worker *w = p->workers; w != NULL; w = w->next) {
		if (w->generation == s->generation && w->tag == p->tag)
			continue;
		most *= 2;
		break;
	}
	if (c->overdue > 0 && most == s->set.workers_max)
		most++;
	return total < most ? most - total : 0;
}

static struct scale_answer steer_decide(struct pool *p, const struct pool_census *c, int64_t now)
{
	const struct pool_settings *s = &pool_wanted(p)->set;
	uint32_t need = p->transition.stage == TRANSITION_BOOT ? p->transition.need : 0;
	struct scale_input in = {
		.queued = p->queue.depth,
		.busy = p->queue.busy > p->queue.going ? p->queue.busy - p->queue.going : 0,
		.booting = c->booting,
		.alive = c->ready,
		.min = pool_min(p) > need ? pool_min(p) : need,
		.max = pool_max(p),
		.spare = s->workers_spare,
		.concurrency = s->workers_concurrency,
		.boot_parallel = template_ready(p) != NULL ? s->workers_max : s->workers_boot_parallel,
		.total_left = shares_left(p),
	};

	if (in.min >= in.max)
		in.queued = in.busy = 0; /* nothing can follow from them */
	return scale_step(&p->queue.window, &in, s->workers_idle_timeout, now);
}

/* Damping, and what the launcher has refused a moment ago.  True when nothing may be started now. */
static bool steer_must_wait(struct pool *p, int64_t now)
{
	struct backoff_rule rule = pool_backoff_rule(p);
	int64_t wait = backoff_wait_ms(&p->backoff, now);

	if (!p->failed && backoff_gave_up(&p->backoff, &rule) && p->transition.stage == TRANSITION_BOOT && p->current != NULL) {
		p->backoff = (struct backoff){0}; /* of the new kind */
		transition_fail(p, p->last_error != NULL ? p->last_error : "restart.give_up_after");
		return true; /* the pool is steered again */
	}
	if (!p->failed && backoff_gave_up(&p->backoff, &rule)) {
		p->failed = true;
		log_error("pool.failed", KS("pool", p->name), KI("crashes", p->backoff.in_row), KS("error", p->last_error));
	}
	if (p->failed)
		return true;
	if (p->held_until_ms - now > wait)
		wait = p->held_until_ms - now;
	if (wait > 0)
		pool_touch_in(p, wait);
	return wait > 0;
}

/* It wants more than manager.max_workers leaves to it. */
static void note_held(struct pool *p, uint32_t have)
{
	bool held = p->wanted > have && shares_left(p) == 0, was_said = p->episodes[EPISODE_HELD].said;

	episode_note(p, EPISODE_HELD, held);
	if (!held)
		return;
	shares_need(p->m);
	pool_touch_in(p, QUEUE_AT_MAX_MS);
	if (!was_said && p->episodes[EPISODE_HELD].said) {
		ops_fail(p, "held: manager.max_workers is reached");
		reload_pool_failed(p, "held: manager.max_workers is reached");
	}
}

static uint32_t steer_start(struct pool *p, const struct scale_answer *a, uint32_t room)
{
	uint32_t count = a->start < room ? a->start : room, i = 0;

	while (i < count && worker_start(p))
		i++;
	shares_took(p, i);
	if (i > 0)
		p->queue.calm = 0;
	return i;
}

void steer_give(struct pool *p, uint32_t count)
{
	struct pool_census c = pool_census(p);
	uint32_t gone = retire_each(p, is_surplus, RETIRE_SURPLUS, count), have = c.ready + c.booting;

	if (gone > 0)
		decided(p, have, have - gone, "given up to a pool below its workers.min (manager.max_workers)");
}

static void steer_surplus(struct pool *p, const struct scale_answer *a, const struct pool_census *c)
{
	uint32_t max = pool_max(p), over = c->ready > max ? c->ready - max : 0;
	uint32_t idle = pool_wanted(p)->set.workers_idle_timeout > 0 ? a->retire : 0;

	uint32_t gone = retire_each(p, is_surplus, RETIRE_SURPLUS, over > idle ? over : idle), have = c->ready + c->booting;

	if (gone > 0)
		decided(p, have, have - gone, over > idle ? "workers.max was lowered" : a->reason);
}

/* While the new kind boots, which may take its time or come to nothing, the old one serves: what a load wants gets more of it, from its template, within the
 * bounds of its own spec, which are the launcher's. */
static void steer_relief(struct pool *p, const struct pool_census *c, uint32_t started)
{
	uint32_t own = p->current != NULL ? p->current->set.workers_max : 0, all = c->total + started, room = 2 * own > all ? 2 * own - all : 0;
	uint32_t max = own < pool_max(p) ? own : pool_max(p), serves = pool_wanted(p)->set.workers_concurrency, left = shares_left(p);
	uint32_t want = (p->queue.busy + p->queue.depth + serves - 1) / serves, have = c->old_accepting, i = 0;

	if (p->transition.old_failed || c->booting > 0)
		return;
	if (want > max)
		want = max;
	while (have + i < want && i < room && i < left && worker_start_old(p))
		i++;
	shares_took(p, i);
	if (i > 0)
		decided(p, have, have + i, "load, of those that are being replaced");
}

static void steer_workers(struct pool *p, int64_t now)
{
	struct pool_census c = pool_census(p);
	struct scale_answer a = steer_decide(p, &c, now);
	uint32_t room = pool_room(p, &c);
	bool must_wait = steer_must_wait(p, now);
	uint32_t have = c.ready + c.booting, started;

	p->wanted = must_wait && a.wanted > have ? have : a.wanted;
	note_held(p, have);
	started = must_wait ? 0 : steer_start(p, &a, room);
	if (started > 0 || (a.start == 0 && p->wanted > have))
		decided(p, have, have + started, a.reason);

	if (p->transition.stage == TRANSITION_BOOT) {
		retire_each(p, is_pointless, RETIRE_REPLACED, UINT32_MAX);
		/* No room for one more while the old ones live: one of them makes room. */
		if (started == 0 && backoff_wait_ms(&p->backoff, now) == 0 && c.booting == 0 && c.ready < p->transition.need && c.retiring == 0 &&
		    (!template_is_wanted(p) || template_ready(p) != NULL))
			retire_each(p, worker_is_old, RETIRE_REPLACED, 1);
		steer_relief(p, &c, started);
		return;
	}
	steer_old(p, &c);
	steer_overdue(p, &c, room, a.wanted);
	steer_surplus(p, &a, &c);
}

/* ---- one pool ---- */

static void steer_leaving(struct pool *p)
{
	if (p->leaving == NULL || p->transition.stage != TRANSITION_NONE)
		return;
	for (const struct worker *w = p->workers; w != NULL; w = w->next)
		if (worker_is_old(w))
			return;
	listener_free(p->leaving);
	p->leaving = NULL;
}

static void steer_running(struct pool *p, int64_t now)
{
	struct pool_census c;

	if (p->drained || p->stopped)
		retire_each(p, anyone, RETIRE_STOPPED, UINT32_MAX);
	else if (p->listener != NULL)
		steer_workers(p, now);
	else if (!p->binding && !steer_must_wait(p, now))
		listen_bind(p, false);
	steer_leaving(p);
	template_steer(p);
	c = pool_census(p);
	queue_settle(p, c.ready + c.overdue);
	board_settle(p);
}

static void steer_pool(struct pool *p)
{
	struct manager *m = p->m;
	int64_t now = fp_now_ms();

	if (m->quit != QUIT_NOT)
		shutdown_step(p);
	else if (p->removing)
		removal_step(p);
	else
		transition_step(p);
	if (pool_wanted(p) != NULL)
		steer_running(p, now);
	ops_review(p);
	reload_review(p);
	if (p->removal == REMOVAL_FORGOTTEN) {
		state_forget(p);
		pool_free(p);
	}
}

static void steer_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct manager *m = ctx;

	(void)fd;
	(void)what;
	while (m->running && m->dirty != NULL && !m->link.is_lost) {
		struct pool *p = m->dirty;

		m->dirty = p->next_dirty;
		p->dirty = false;
		steer_pool(p);
	}
	if (m->running) {
		reload_step(m);
		shutdown_review(m);
		lease_tell(m);
	}
}

void steer_init(struct manager *m)
{
	event_assign(&m->steer, m->base, -1, 0, steer_turn, m);
}

void steer_fini(struct manager *m)
{
	event_del(&m->steer);
}
