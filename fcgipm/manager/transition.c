/* Transitions (manager process). */
#include "fcgipm/manager/transition.h"

#include <stdio.h>

#include "fcgipm/base/log.h"
#include "fcgipm/manager/boot.h"
#include "fcgipm/manager/lease.h"
#include "fcgipm/manager/listen.h"
#include "fcgipm/manager/manager.h"

enum { CRASHES_TO_FAIL = 3 };

/* As many as can serve now, so that a replacement under load has the same capacity; none when nothing runs. */
static uint32_t workers_needed(const struct pool *p)
{
	uint32_t now = 0, min = pool_min(p), max = pool_max(p);

	for (const struct worker *w = p->workers; w != NULL; w = w->next)
		now += w->state == WORKER_READY || (w->state == WORKER_BOOTING && w->adopted);
	if (now == 0)
		return 0;
	if (now < min)
		now = min;
	return now < max ? now : max;
}

static void transition_boot(struct pool *p)
{
	template_try(p);
	p->transition.stage = TRANSITION_BOOT;
	p->transition.need = workers_needed(p);
	p->transition.crashes = 0;
	p->transition.old_failed = false;
	p->backoff = (struct backoff){0};
	p->failed = false;
	log_info("pool.replacing", KS("pool", p->name), KS("why", p->transition.why), KI("generation", pool_wanted(p)->generation),
		 KI("workers", p->transition.need));
	pool_touch(p);
}

void transition_offer(struct pool *p, struct pool_spec *taken)
{
	pool_spec_free(p->candidate);
	p->candidate = taken;
	if (taken->failure != NULL) {
		transition_fail(p, taken->failure);
		return;
	}
	p->transition.stage = TRANSITION_BIND;
	p->transition.why = "reload";
	listener_free(p->coming);
	p->coming = NULL;
	listen_bind(p, false);
}

void transition_restart(struct pool *p, const char *why)
{
	p->tag = ++p->last_tag;
	p->failed = false;
	p->backoff = (struct backoff){0};
	p->held_until_ms = 0;
	state_save(p);
	pool_touch(p);
	if (p->transition.stage == TRANSITION_BIND)
		return; /* both in one */
	p->transition.why = why;
	transition_boot(p);
}

void transition_resume(struct pool *p)
{
	p->transition.why = "restart";
	transition_boot(p);
}

/* Overrides of scale hold until a reload changes the keys that they stand for. */
static void drop_overrides(struct pool *p, const struct pool_settings *from, const struct pool_settings *to)
{
	if (from->workers_min != to->workers_min)
		p->min_override = -1;
	if (from->workers_max != to->workers_max)
		p->max_override = -1;
	if (p->max_override > (int32_t)to->workers_max)
		p->max_override = -1;
}

static void adopt_listener(struct pool *p)
{
	if (p->coming == NULL)
		return;
	queue_unwatch(p);
	if (p->listener != NULL)
		listen_withdraw(p, p->listener);
	listener_free(p->leaving);
	p->leaving = p->listener;
	p->listener = p->coming;
	p->coming = NULL;
	log_info("listener.bound", KS("pool", p->name), KS("address", p->listener->address));
}

static void commit_spec(struct pool *p, bool recycle)
{
	struct wire_commit m = {.pool = p->name, .generation = p->candidate->generation};
	struct pool_spec *old = p->current;

	adopt_listener(p);
	lease_changed(p->m);
	link_commit(&p->m->link, &m, NULL, NULL);
	if (p->listener != NULL)
		p->listener->generation = m.generation;
	if (old != NULL)
		drop_overrides(p, &old->set, &p->candidate->set);
	p->current = p->candidate;
	p->candidate = NULL;
	if (recycle)
		p->floor = m.generation;
	p->failed = false;
	pool_spec_free(old);
	output_file_want(p, true);
	board_scan(p); /* other limits for the requests that are under way */
}

static void transition_commit(struct pool *p)
{
	if (p->candidate != NULL)
		commit_spec(p, true);
	p->stable_tag = p->tag;
	p->transition.stage = TRANSITION_NONE;
	p->untold = false; /* the new kind may tell */
	for (const struct worker *w = p->workers; w != NULL; w = w->next)
		p->untold |= w->state == WORKER_READY && !worker_is_old(w) && board_is_silent(w);
	log_info("pool.replaced", KS("pool", p->name), KS("why", p->transition.why), KI("generation", p->current->generation));
	state_save(p);
	pool_touch(p);
}

/* The new values hold for the workers that are there. */
static void transition_apply(struct pool *p)
{
	log_info("pool.changed", KS("pool", p->name), KI("generation", p->candidate->generation));
	commit_spec(p, false);
	for (struct worker *w = p->workers; w != NULL; w = w->next)
		lifetime_watch(w);
	p->transition.stage = TRANSITION_NONE;
	if (p->tag != p->stable_tag)
		transition_boot(p); /* a restart was under way */
	state_save(p);
	pool_touch(p);
}

void transition_bound(struct pool *p, struct listener *taken)
{
	const char *key = "";
	enum settings_class class;

	if (p->current == NULL) {
		p->coming = taken;
		transition_boot(p);
		return;
	}
	class = settings_pool_compare(&p->current->set, &p->candidate->set, &key);
	if (listener_same(p->listener, taken))
		listener_free(taken);
	else
		p->coming = taken;
	if (p->coming == NULL && class <= SETTINGS_LIVE) {
		transition_apply(p);
		return;
	}
	log_info("pool.differs", KS("pool", p->name), KS("key", key));
	transition_boot(p);
}

void transition_step(struct pool *p)
{
	struct pool_census c;

	if (p->transition.stage != TRANSITION_BOOT)
		return;
	c = pool_census(p);
	if (c.ready + c.overdue >= p->transition.need || p->stopped)
		transition_commit(p);
}

static void drop_candidate(struct pool *p)
{
	struct wire_unbind m = {.pool = p->name, .how = 1};

	if (p->candidate == NULL)
		return;
	m.generation = p->failed_generation = p->candidate->generation;
	if (p->candidate->failure == NULL)
		link_unbind(&p->m->link, &m, NULL, NULL);
	pool_spec_free(p->candidate);
	p->candidate = NULL;
	listener_free(p->coming);
	p->coming = NULL;
}

void transition_fail(struct pool *p, const char *reason)
{
	bool booted = p->transition.stage == TRANSITION_BOOT;

	log_error("pool.replace_failed", KS("pool", p->name), KS("why", p->transition.why), KS("error", reason));
	pool_set_error(p, "%s", reason);
	ops_fail(p, reason);
	reload_pool_failed(p, reason);
	p->transition.stage = TRANSITION_NONE;
	if (p->current == NULL) { /* a new pool: there is nothing to go back to */
		p->failed = true;
		return;
	}
	if (booted)
		template_back(p);
	p->tag = p->stable_tag;
	drop_candidate(p);
	state_save(p);
	pool_touch(p);
	board_scan(p); /* the limits are those of before */
}

bool transition_crashed(struct pool *p, bool at_boot, bool old, const char *reason)
{
	char copy[1400];

	if (p->transition.stage != TRANSITION_BOOT || old)
		return false;
	if (!at_boot && ++p->transition.crashes < CRASHES_TO_FAIL)
		return false;
	snprintf(copy, sizeof(copy), "%s", reason);
	transition_fail(p, copy);
	return true;
}

void transition_drop(struct pool *p)
{
	if (p->transition.stage == TRANSITION_NONE || p->current == NULL)
		return;
	p->transition.stage = TRANSITION_NONE;
	p->stable_tag = p->tag;
	drop_candidate(p);
}
