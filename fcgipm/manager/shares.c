/* Sharing manager.max_workers (manager process). */
#include "fcgipm/manager/shares.h"

#include <stdlib.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/manager/manager.h"
#include "fcgipm/manager/steer.h"
#include "fcgipm/pool/share.h"

enum { REVIEW_LEAST_MS = 10, REVIEW_SCARCE_MS = 100 };

static uint32_t left(const struct manager *m, uint32_t times)
{
	uint32_t most = manager_max_workers(m) * times;

	return m->worker_count < most ? most - m->worker_count : 0;
}

uint32_t shares_left(const struct pool *p)
{
	/* Another generation comes up beside the old one, which then goes: that is no greed. */
	if (p->transition.stage == TRANSITION_BOOT)
		return left(p->m, 2);
	return p->m->shares.scarce ? p->grant : left(p->m, 1);
}

void shares_took(struct pool *p, uint32_t count)
{
	p->grant -= count < p->grant ? count : p->grant;
}

static void arm(struct manager *m, int64_t wait_ms)
{
	int64_t since = fp_now_ms() - m->shares.reviewed_ms;

	if (m->shares.armed && wait_ms >= REVIEW_SCARCE_MS)
		return;
	m->shares.armed = true;
	timer_arm(&m->shares.review, since >= wait_ms ? 0 : wait_ms - since);
}

void shares_need(struct manager *m)
{
	if (!m->shares.scarce)
		m->shares.reviewed_ms = 0; /* at once */
	m->shares.scarce = true;
	arm(m, REVIEW_LEAST_MS);
}

void shares_freed(struct manager *m)
{
	if (m->shares.scarce)
		arm(m, REVIEW_LEAST_MS);
}

/* ---- the review ---- */

struct review {
	struct pool **pools;
	struct share_claim *claims;
	size_t count;
	uint32_t leaving;
};

static bool has_claim(const struct pool *p)
{
	return p->listener != NULL && !p->stopped && !p->failed && !p->drained && !p->removing && p->transition.stage != TRANSITION_BOOT &&
	       (p->workers != NULL || p->wanted > 0);
}

static void gather(struct manager *m, struct review *r)
{
	for (struct pool *p = m->first_pool; p != NULL; p = p->next) {
		struct pool_census c = pool_census(p);

		p->grant = 0;
		r->leaving += c.retiring;
		if (!has_claim(p))
			continue;
		r->pools[r->count] = p;
		r->claims[r->count++] = (struct share_claim){.have = c.total - c.retiring, .min = pool_min(p), .wanted = p->wanted};
	}
}

/* Grants are taken up by the pools themselves when they are steered; what is to be given up is retired here. */
static bool carry_out(const struct review *r)
{
	bool scarce = false;

	for (size_t i = 0; i < r->count; i++) {
		const struct share_claim *c = &r->claims[i];

		scarce |= c->wanted > c->have;
		r->pools[i]->grant = c->grant;
		if (c->grant > 0)
			pool_touch(r->pools[i]);
		if (c->give > 0)
			steer_give(r->pools[i], c->give);
	}
	return scarce;
}

static void review(evutil_socket_t fd, short what, void *ctx)
{
	struct manager *m = ctx;
	struct review r = {.pools = calloc(m->pool_count + 1, sizeof(struct pool *)), .claims = calloc(m->pool_count + 1, sizeof(struct share_claim))};

	(void)fd;
	(void)what;
	m->shares.armed = false;
	m->shares.reviewed_ms = fp_now_ms();
	if (r.pools != NULL && r.claims != NULL && m->quit == QUIT_NOT) {
		gather(m, &r);
		share_out(r.claims, r.count, manager_max_workers(m), m->worker_count, r.leaving);
		m->shares.scarce = carry_out(&r);
	}
	free(r.pools);
	free(r.claims);
	if (m->shares.scarce)
		arm(m, REVIEW_SCARCE_MS);
}

void shares_init(struct manager *m)
{
	evtimer_assign(&m->shares.review, m->base, review, m);
}

void shares_fini(struct manager *m)
{
	event_del(&m->shares.review);
}
