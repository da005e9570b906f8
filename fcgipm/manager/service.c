/* Pools as the manager sees them (manager process): finding, counting, naming.  What happens to them is decided in steer.c. */
#include "fcgipm/manager/service.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/hash.h"
#include "fcgipm/manager/crew.h"
#include "fcgipm/manager/manager.h"
#include "fcgipm/manager/steer.h"

static struct pool **bucket_of(struct manager *m, const char *name)
{
	return &m->pools[fp_hash_str(FP_HASH_INIT, name) % MANAGER_POOL_BUCKETS];
}

struct pool *manager_pool(struct manager *m, const char *name)
{
	struct pool *p = *bucket_of(m, name);

	while (p != NULL && strcmp(p->name, name) != 0)
		p = p->next_by_name;
	return p;
}

static void timer_fired(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	pool_touch(ctx);
}

static void pool_enter(struct manager *m, struct pool *p)
{
	struct pool **bucket = bucket_of(m, p->name);

	p->next_by_name = *bucket;
	*bucket = p;
	p->prev = m->last_pool;
	if (m->last_pool != NULL)
		m->last_pool->next = p;
	else
		m->first_pool = p;
	m->last_pool = p;
	m->pool_count++;
}

struct pool *pool_new(struct manager *m, const char *name)
{
	size_t size = strlen(name) + 1;
	struct pool *p = calloc(1, sizeof(*p) + size);

	if (p == NULL)
		return NULL;
	p->m = m;
	p->output_fd = p->board.bell = -1;
	p->min_override = p->max_override = -1;
	p->tag = p->stable_tag = p->last_tag = 1;
	memcpy(p->name, name, size);
	evtimer_assign(&p->timer, m->base, timer_fired, p);
	output_rate_init(p);
	pool_enter(m, p);
	return p;
}

static void pool_leave(struct pool *p)
{
	struct manager *m = p->m;
	struct pool **at = bucket_of(m, p->name);

	while (*at != p)
		at = &(*at)->next_by_name;
	*at = p->next_by_name;
	*(p->prev != NULL ? &p->prev->next : &m->first_pool) = p->next;
	*(p->next != NULL ? &p->next->prev : &m->last_pool) = p->prev;
	m->pool_count--;
	steer_forget(p);
}

void pool_free(struct pool *p)
{
	while (p->workers != NULL)
		worker_free(p->workers);
	while (p->templates != NULL)
		worker_free(p->templates);
	board_close(p);
	ops_forget_pool(p);
	link_forget(&p->m->link, p);
	queue_fini(p);
	output_rate_fini(p);
	event_del(&p->timer);
	pool_leave(p);
	pool_spec_free(p->current);
	pool_spec_free(p->candidate);
	listener_free(p->listener);
	listener_free(p->coming);
	listener_free(p->leaving);
	fp_close(&p->output_fd);
	free(p->last_error);
	free(p);
}

void listener_free(struct listener *li)
{
	if (li == NULL)
		return;
	fp_close(&li->fd);
	fp_close(&li->door);
	free(li->address);
	free(li);
}

struct pool_spec *pool_spec_new(const struct wire_pool *w, struct fp_err *err)
{
	struct pool_spec *s = calloc(1, sizeof(*s));

	if (s == NULL || settings_pool_decode(w->settings, &s->set, err) < 0) {
		free(s);
		return NULL;
	}
	s->generation = w->generation;
	s->since = w->since;
	if (w->failure[0] != '\0')
		s->failure = strdup(w->failure);
	return s;
}

void pool_spec_free(struct pool_spec *s)
{
	if (s == NULL)
		return;
	settings_pool_free(&s->set);
	free(s->failure);
	free(s);
}

const struct pool_spec *pool_wanted(const struct pool *p)
{
	if (p->candidate != NULL && (p->transition.stage == TRANSITION_BOOT || p->current == NULL))
		return p->candidate;
	return p->current;
}

uint32_t pool_min(const struct pool *p)
{
	const struct pool_spec *s = pool_wanted(p);
	uint32_t max = pool_max(p), min = p->min_override >= 0 ? (uint32_t)p->min_override : s->set.workers_min;

	return min < max ? min : max;
}

uint32_t pool_max(const struct pool *p)
{
	const struct pool_spec *s = pool_wanted(p);

	return p->max_override > 0 ? (uint32_t)p->max_override : s->set.workers_max;
}

void pool_back_off(struct pool *p)
{
	struct backoff_rule rule = pool_backoff_rule(p);
	int64_t now = fp_now_ms();

	p->crashes++;
	backoff_crash(&p->backoff, &rule, now);
	log_info("pool.backoff", KS("pool", p->name), KI("in_row", p->backoff.in_row), KI("wait_ms", backoff_wait_ms(&p->backoff, now)));
}

struct backoff_rule pool_backoff_rule(const struct pool *p)
{
	const struct pool_settings *s = &pool_wanted(p)->set;

	return (struct backoff_rule){
		.delay_ms = s->restart_delay,
		.max_delay_ms = s->restart_max_delay,
		.give_up_after = s->restart_give_up_after,
	};
}

bool worker_is_old(const struct worker *w)
{
	const struct pool *p = w->pool;
	const struct pool_spec *s = pool_wanted(p);
	uint32_t floor = s == p->candidate ? s->generation : p->floor;

	return w->generation < floor || w->generation > s->generation || w->tag != p->tag || (w->generation == p->failed_generation && s != p->candidate);
}

bool worker_is_stable(const struct worker *w)
{
	const struct pool *p = w->pool;

	return p->current != NULL && w->generation >= p->floor && w->generation <= p->current->generation && w->tag == p->stable_tag;
}

static void count_wanted(const struct worker *w, struct pool_census *c)
{
	if (w->state == WORKER_STARTING || w->state == WORKER_BOOTING)
		c->booting++;
	else if (w->state == WORKER_READY && (w->overdue || w->at_last_ms != 0))
		c->overdue++;
	else if (w->state == WORKER_READY)
		c->ready++;
}

struct pool_census pool_census(const struct pool *p)
{
	struct pool_census c = {0};

	for (const struct worker *w = p->workers; w != NULL; w = w->next) {
		bool accepts = worker_accepts(w->state);

		c.total++;
		c.accepting += accepts;
		c.retiring += w->state == WORKER_RETIRING || !accepts;
		c.finishing += w->state == WORKER_RETIRING;
		if (worker_is_old(w)) {
			c.old_accepting += accepts;
			c.old_booting += w->state == WORKER_STARTING || w->state == WORKER_BOOTING;
		} else {
			count_wanted(w, &c);
		}
	}
	return c;
}

const char *pool_state_name(const struct pool *p, const struct pool_census *c, uint32_t depth)
{
	uint32_t booting = c->booting + c->old_booting, serving = c->accepting > booting ? c->accepting - booting : 0;

	if (p->removing)
		return "removing";
	if (p->stopped)
		return "stopped";
	if (p->failed || (p->listener == NULL && p->bind_failed))
		return "failed";
	if (c->accepting == 0 && pool_min(p) == 0 && depth == 0)
		return "sleeping";
	if (p->episodes[EPISODE_HELD].since_ms != 0)
		return "held";
	if (depth > 0 && c->ready >= pool_max(p))
		return "at_max";
	return serving > 0 && c->ready + c->overdue + c->old_accepting >= pool_min(p) ? "ready" : "starting";
}

void pool_touch_in(struct pool *p, int64_t ms)
{
	struct timeval due, now;

	if (ms <= 0) {
		pool_touch(p);
		return;
	}
	event_base_gettimeofday_cached(p->m->base, &now);
	if (evtimer_pending(&p->timer, &due) && (due.tv_sec - now.tv_sec) * 1000 + (due.tv_usec - now.tv_usec) / 1000 <= ms)
		return;
	timer_arm(&p->timer, ms);
}

void pool_set_error(struct pool *p, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	free(p->last_error);
	p->last_error = strdup(text);
}
