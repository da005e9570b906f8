/* Reloads (manager process). */
#include "fcgipm/manager/reload.h"

#include <errno.h>

#include "fcgipm/base/log.h"
#include "fcgipm/manager/manager.h"

enum { NOTICE_READY = 0, NOTICE_RELOADING = 1, CODE_BAD_CONFIGURATION = 78 };

static void reload_refused(struct manager *m, const struct wire_answer *a)
{
	log_error("reload.refused", KI("code", a->code), KS("error", a->text));
	ops_reload_refused(m, m->reload.round, a->code == CODE_BAD_CONFIGURATION ? CODE_BAD_CONFIGURATION : 1, a->text);
	link_notice(&m->link, NOTICE_READY);
	m->reload.stage = RELOAD_IDLE;
}

static void reload_answered(void *ctx, const struct wire_answer *a, struct wire_dgram *d)
{
	struct manager *m = ctx;

	(void)d;
	if (a->code != 0)
		reload_refused(m, a);
	else
		m->reload.stage = RELOAD_SETTLING; /* the pools that differ came before */
	if (a->code == 0 && a->text[0] != '\0') {
		log_warn("reload.warning", KS("text", a->text));
		ops_reload_note(m, m->reload.round, a->text);
	}
	event_active(&m->steer, EV_TIMEOUT, 0);
}

static void reload_begin(struct manager *m)
{
	m->reload.again = false;
	m->reload.stage = RELOAD_ASKED;
	m->reload.round++;
	log_info("reload.begin", KI("round", m->reload.round));
	link_notice(&m->link, NOTICE_RELOADING);
	link_reload(&m->link, reload_answered, m);
}

uint32_t reload_ask(struct manager *m)
{
	if (m->reload.stage == RELOAD_IDLE) {
		reload_begin(m);
		return m->reload.round;
	}
	m->reload.again = true;
	return m->reload.round + 1;
}

void reload_touches(struct pool *p)
{
	p->reload_round = p->m->reload.round;
	pool_touch(p);
}

void reload_pool_failed(struct pool *p, const char *reason)
{
	if (p->reload_round != 0 && !p->reload_failed) {
		p->reload_failed = true;
		ops_reload_failure(p->m, p->reload_round, p->name, reason);
	}
}

static bool has_come_up(const struct pool *p, const struct pool_census *c)
{
	return p->failed || p->stopped || p->reload_failed || p->backoff.in_row > 0 || c->ready + c->overdue >= pool_min(p);
}

/* Done with: nothing is being replaced, nobody old can accept any more, and what must run runs or cannot. */
void reload_review(struct pool *p)
{
	struct pool_census c;

	if (p->reload_round == 0 || p->removing || p->transition.stage != TRANSITION_NONE || pool_wanted(p) == NULL)
		return;
	c = pool_census(p);
	if (c.old_accepting > 0 || p->leaving != NULL || !has_come_up(p, &c))
		return;
	p->reload_round = 0;
	p->reload_failed = false;
}

static bool is_bound(const struct pool *p)
{
	return p->listener != NULL || p->bind_failed || p->failed || p->stopped || p->removing;
}

/* Nothing of this reload (or, at first, of the start) is open: what remains takes its time and stands in nobody's way. */
static bool is_decided(const struct manager *m)
{
	for (const struct pool *p = m->first_pool; p != NULL; p = p->next)
		if (!is_bound(p) || (p->reload_round == m->reload.round && p->transition.stage != TRANSITION_NONE))
			return false;
	return true;
}

/* It crashes again and again, and waits longer and longer. */
static bool cannot_come_up(const struct pool *p)
{
	enum { IN_ROW = 3 };

	return p->backoff.in_row >= IN_ROW && pool_census(p).ready == 0;
}

/* Once: every min is up, or cannot be. */
static void review_ready(struct manager *m)
{
	unsigned failed = 0;

	for (const struct pool *p = m->first_pool; p != NULL; p = p->next) {
		struct pool_census c;

		failed += p->failed || cannot_come_up(p);
		if (cannot_come_up(p) || p->failed || p->stopped || p->removing || pool_wanted(p) == NULL)
			continue;
		c = pool_census(p);
		if (p->listener == NULL || c.ready + c.overdue < pool_min(p))
			return;
	}
	m->ready_said = true;
	log_info("ready", KI("pools", m->pool_count), KI("failed", failed), KI("workers", m->worker_count));
}

static uint32_t oldest_round(const struct manager *m)
{
	uint32_t oldest = UINT32_MAX;

	for (const struct pool *p = m->first_pool; p != NULL; p = p->next)
		if (p->reload_round != 0 && p->reload_round < oldest)
			oldest = p->reload_round;
	return oldest;
}

void reload_step(struct manager *m)
{
	if (m->reload.stage == RELOAD_SETTLING && is_decided(m)) {
		m->reload.stage = RELOAD_IDLE;
		link_notice(&m->link, NOTICE_READY);
		if (m->reload.round > 0)
			log_info("reload.applied", KI("round", m->reload.round), KI("generation", m->generation));
	}
	if (!m->ready_said)
		review_ready(m);
	if (ops_has_reload(m))
		ops_reload_done(m, m->reload.stage == RELOAD_ASKED ? m->reload.round - 1 : m->reload.round, oldest_round(m));
	if (m->reload.stage == RELOAD_IDLE && m->reload.again && m->quit == QUIT_NOT)
		reload_begin(m);
}
