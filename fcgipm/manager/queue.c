/* Watching and sampling listeners (manager process).  It reads what the kernel says of a queue; it never accepts. */
#include "fcgipm/manager/queue.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/log.h"
#include "fcgipm/manager/listen.h"
#include "fcgipm/manager/manager.h"
#include "fcgipm/probe/queue.h"

enum {
	SAMPLE_SHARE = 20,
	DUMP_SHARE = 200,
	SAMPLE_TOGETHER_MS = 2,
	GATHER_MS = 1,
	STEADY_MS = 2,
	STEADY_SAMPLES = 15,
	CALM_SAMPLES = 16,
	CALM_FORGOTTEN_MS = 100
};

uint32_t listener_depth(struct manager *m, const struct listener *li)
{
	uint32_t depth = 0, limit = 0;

	if (li == NULL || li->fd < 0 || probe_queue_depth(m->diag_fd, &li->id, li->fd, &depth, &limit) < 0)
		return 0;
	return depth;
}

static void count_one(void *ctx, size_t index, uint32_t inode)
{
	uint32_t *counts = ctx;

	(void)inode;
	counts[index]++;
}

int64_t listener_busy(struct manager *m, const struct listener *li)
{
	uint32_t busy = 0;
	int r = li == NULL ? 0 : probe_connections(m->diag_fd, &li->id, 1, count_one, &busy);

	return r < 0 ? (int64_t)r : (int64_t)busy;
}

bool listener_is_shut(const struct listener *li)
{
	struct pollfd p = {.fd = li->fd, .events = POLLIN | POLLRDHUP};

	return li->fd >= 0 && poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLRDHUP | POLLERR | POLLNVAL)) != 0;
}

uint32_t queue_depth(struct pool *p)
{
	uint32_t depth = listener_depth(p->m, p->listener);

	if (depth > p->counters.queue_peak)
		p->counters.queue_peak = depth;
	for (struct worker *w = p->workers; w != NULL; w = w->next)
		if (depth > w->depth_peak)
			w->depth_peak = depth;
	return depth;
}

/* ---- the list of pools that are sampled ---- */

static void sampler_arm(struct manager *m, int64_t due_ms)
{
	int64_t now = fp_now_ms();

	if (m->sampler.tick_ms != 0 && m->sampler.tick_ms <= due_ms)
		return;
	m->sampler.tick_ms = due_ms;
	timer_arm(&m->sampler.tick, due_ms > now ? due_ms - now : 0);
}

static void sampler_enter(struct pool *p, int64_t due_ms)
{
	struct queue_watch *q = &p->queue;
	struct manager *m = p->m;

	if (q->in_sampler == NULL) {
		q->next_sampled = m->sampler.first;
		if (q->next_sampled != NULL)
			q->next_sampled->queue.in_sampler = &q->next_sampled;
		q->in_sampler = &m->sampler.first;
		m->sampler.first = p;
	}
	q->due_ms = due_ms;
	sampler_arm(m, due_ms);
}

static void sampler_leave(struct pool *p)
{
	struct queue_watch *q = &p->queue;

	q->due_ms = 0;
	if (q->in_sampler == NULL)
		return;
	*q->in_sampler = q->next_sampled;
	if (q->next_sampled != NULL)
		q->next_sampled->queue.in_sampler = q->in_sampler;
	q->in_sampler = NULL;
}

void queue_sample_soon(struct pool *p)
{
	if (p->listener != NULL)
		sampler_enter(p, fp_now_ms());
}

static int64_t sample_interval(const struct pool *p)
{
	int64_t affordable = p->m->sampler.cost_us * SAMPLE_SHARE / 1000;
	int64_t least = p->queue.calm >= CALM_SAMPLES ? QUEUE_CALM_MS : QUEUE_SAMPLE_MS;

	return affordable > least ? affordable : least;
}

/* ---- one round ---- */

struct round {
	size_t count;
	struct pool **pools;
	struct probe_listener *ids;
	uint32_t *busy;
};

static bool round_alloc(struct round *r, size_t most)
{
	r->pools = calloc(most, sizeof(*r->pools));
	r->ids = calloc(most, sizeof(*r->ids));
	r->busy = calloc(most, sizeof(*r->busy));
	return r->pools != NULL && r->ids != NULL && r->busy != NULL;
}

static void round_free(struct round *r)
{
	free(r->pools);
	free(r->ids);
	free(r->busy);
}

/* Whether those in service must be counted.  A fixed number of workers needs no count; and where more wait than there are workers, all of them are
 * busy: an idle one would have taken one. */
static bool wants_dump(struct pool *p)
{
	struct pool_census c = pool_census(p);
	struct board_census b;

	if (pool_min(p) >= pool_max(p) || p->listener == NULL)
		return false;
	b = board_census(p);
	if (b.exact) {
		p->queue.busy = b.busy + b.kept;
		p->queue.going = b.going;
		return false;
	}
	p->queue.going = c.finishing;
	if (p->queue.depth <= c.accepting - c.booting - c.old_booting)
		return true;
	p->queue.busy = c.ready * pool_wanted(p)->set.workers_concurrency;
	p->queue.going = 0;
	return false;
}

static void round_gather(struct manager *m, struct round *r, int64_t now)
{
	for (struct pool *p = m->sampler.first, *next; p != NULL; p = next) {
		next = p->queue.next_sampled;
		if (p->queue.due_ms > now + SAMPLE_TOGETHER_MS)
			continue;
		sampler_leave(p);
		p->queue.sampled_ms = now;
		p->queue.depth = queue_depth(p);
		p->queue.calm++;
		if (p->queue.depth > 0)
			board_scan(p); /* who holds a worker while others wait */
		pool_touch(p);
		if (!wants_dump(p))
			continue;
		r->pools[r->count] = p;
		r->ids[r->count++] = p->listener->id;
	}
}

/* Whether a dump is too dear by now.  A pool that is flooded uses up its own share of them, not that of a pool which was not counted for long. */
static bool may_dump(const struct manager *m, const struct round *r, int64_t now)
{
	const struct sampler *s = &m->sampler;

	if (now - s->dumped_ms < s->dump_us * SAMPLE_SHARE / 1000)
		return false;
	for (size_t i = 0; i < r->count; i++) {
		const struct queue_watch *q = &r->pools[i]->queue;

		if (q->calm < CALM_SAMPLES || now - q->dumped_ms >= s->dump_us * DUMP_SHARE / 1000)
			return true; /* one that grows must know how far */
	}
	return false;
}

/* Without a dump what was counted last stands. */
static void round_dump(struct manager *m, struct round *r, int64_t now)
{
	int64_t used_us = fp_used_us();

	if (!may_dump(m, r, now))
		return;
	if (probe_connections(m->diag_fd, r->ids, r->count, count_one, r->busy) < 0)
		return;
	for (size_t i = 0; i < r->count; i++) {
		r->pools[i]->queue.busy = r->busy[i];
		r->pools[i]->queue.dumped_ms = now;
	}
	m->sampler.dumped_ms = now;
	m->sampler.dump_us = fp_used_us() - used_us;
}

static void sampler_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct manager *m = ctx;
	struct round r = {0};
	int64_t now = fp_now_ms(), used_us = fp_used_us();
	size_t most = 0;

	(void)fd;
	(void)what;
	m->sampler.tick_ms = 0;
	for (struct pool *p = m->sampler.first; p != NULL; p = p->queue.next_sampled)
		most++;
	if (most > 0 && round_alloc(&r, most)) {
		round_gather(m, &r, now);
		m->sampler.cost_us = fp_used_us() - used_us;
		round_dump(m, &r, now);
	}
	round_free(&r);
	for (struct pool *p = m->sampler.first; p != NULL; p = p->queue.next_sampled)
		sampler_arm(m, p->queue.due_ms);
}

/* ---- wake-ups ---- */

/* The first of a burst is seldom alone: a moment later the sample shows them all.  A pool that was sampled just now has its turn when it is due again. */
static int64_t wait_of_woken(const struct pool *p, const struct pool_census *c, int64_t now)
{
	int64_t due = p->queue.sampled_ms + sample_interval(p) - now;

	if (c->ready >= pool_max(p))
		return QUEUE_AT_MAX_MS;
	if (c->booting + c->ready == 0)
		return 0;
	return due > GATHER_MS ? due : GATHER_MS;
}

static void woken(evutil_socket_t fd, short what, void *ctx)
{
	struct pool *p = ctx;
	struct pool_census c = pool_census(p);
	int64_t now = fp_now_ms();

	(void)fd;
	(void)what;
	if (now - p->queue.last_wake_ms > CALM_FORGOTTEN_MS)
		p->queue.calm = 0;
	p->queue.armed = false;
	p->queue.steady = now - p->queue.armed_ms <= STEADY_MS ? STEADY_SAMPLES : 0;
	p->queue.last_wake_ms = now;
	if (p->listener == NULL || listener_check(p))
		return;
	sampler_enter(p, now + wait_of_woken(p, &c, now));
}

void queue_unwatch(struct pool *p)
{
	if (p->queue.armed)
		event_del(&p->queue.wake);
	p->queue.armed = false;
	sampler_leave(p);
}

/* Where the workers themselves say that few of them are left, no connection wakes us. */
static bool arm_board(struct pool *p)
{
	struct board_census b = board_census(p);
	struct pool_census c = pool_census(p);
	uint32_t spare = pool_wanted(p)->set.workers_spare, low = c.ready >= pool_max(p) || spare == 0 ? 1 : spare;

	return b.exact && c.ready > 0 && b.idle >= low && board_arm(p, low);
}

static void queue_arm(struct pool *p)
{
	if (arm_board(p)) {
		if (p->queue.armed)
			event_del(&p->queue.wake);
		p->queue.armed = false;
		return;
	}
	if (p->queue.armed)
		return;
	if (event_assign(&p->queue.wake, p->m->base, p->listener->fd, EV_READ, woken, p) == 0 && event_add(&p->queue.wake, NULL) == 0) {
		p->queue.armed = true;
		p->queue.armed_ms = fp_now_ms();
	}
}

/* Whatever there was is over: the pool does not run. */
static void end_episodes(struct pool *p)
{
	for (unsigned k = 0; k < EPISODE_COUNT; k++)
		episode_note(p, (enum episode_kind)k, false);
}

static void note_episodes(struct pool *p, bool at_max)
{
	struct pool_census c = pool_census(p);
	uint32_t depth = p->queue.depth;

	episode_note(p, EPISODE_AT_MAX, at_max && depth > 0);
	episode_note(p, EPISODE_QUEUE_FULL, depth >= pool_wanted(p)->set.queue_limit);
	episode_note(p, EPISODE_CRASHING, depth > 0 && c.ready + c.overdue == 0 && (p->crashes > 1 || backoff_wait_ms(&p->backoff, fp_now_ms()) > 0));
	episode_note(p, EPISODE_SLOW_BOOT, depth > 0 && (c.booting > 0 || template_boots(p)) && !at_max);
}

void queue_settle(struct pool *p, uint32_t alive)
{
	struct queue_watch *q = &p->queue;
	int64_t now = fp_now_ms(), slow;
	bool at_max = alive >= pool_max(p);

	if (p->listener == NULL || p->listener->fd < 0 || p->stopped || p->failed || p->drained || p->removing) {
		end_episodes(p);
		queue_unwatch(p);
		return;
	}
	note_episodes(p, at_max);
	if (q->in_sampler != NULL)
		return; /* a look is due already; afterwards we are asked again */
	if (q->steady > 0 && alive > 0) {
		q->steady--;
		sampler_enter(p, now + (at_max ? QUEUE_AT_MAX_MS : sample_interval(p)));
		return;
	}
	if (q->depth > 0) {
		sampler_enter(p, now + (at_max ? QUEUE_AT_MAX_MS : sample_interval(p)));
		return;
	}
	if (alive > pool_min(p) && pool_wanted(p)->set.workers_idle_timeout > 0) {
		slow = pool_wanted(p)->set.workers_idle_timeout / SCALE_PEAKS;
		sampler_enter(p, now + (slow < 50 ? 50 : slow > 5000 ? 5000 : slow));
	}
	queue_arm(p);
}

void queue_fini(struct pool *p)
{
	queue_unwatch(p);
}

void sampler_init(struct manager *m)
{
	evtimer_assign(&m->sampler.tick, m->base, sampler_tick, m);
}

void sampler_fini(struct manager *m)
{
	event_del(&m->sampler.tick);
}
