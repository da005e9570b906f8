/* Removing pools (manager process). */
#include "fcgipm/manager/removal.h"

#include "fcgipm/base/clock.h"
#include "fcgipm/base/log.h"
#include "fcgipm/manager/lease.h"
#include "fcgipm/manager/listen.h"
#include "fcgipm/manager/manager.h"
#include "fcgipm/manager/transition.h"

enum { REMOVAL_LOOK_MS = 10, REMOVAL_AGAIN_MS = 50 };

/* Waiting for a queue that nobody will ever serve would be waiting for ever. */
static bool is_hopeless(const struct pool *p)
{
	struct pool_census c = pool_census(p);

	return p->listener == NULL || p->failed || p->stopped || (backoff_wait_ms(&p->backoff, fp_now_ms()) > 0 && c.ready + c.booting == 0);
}

bool queue_ran_dry(struct pool *p)
{
	if (p->drained)
		return true;
	p->queue.depth = queue_depth(p);
	p->drained = p->queue.depth == 0 || is_hopeless(p);
	if (!p->drained)
		pool_touch_in(p, REMOVAL_LOOK_MS);
	return p->drained;
}

void removal_begin(struct pool *p)
{
	if (p->removing)
		return;
	log_info("pool.removing", KS("pool", p->name));
	p->removing = true;
	lease_changed(p->m);
	p->removal = REMOVAL_NONE;
	transition_drop(p);
	pool_touch(p);
}

static void removal_answered(void *ctx, const struct wire_answer *a, struct wire_dgram *d)
{
	struct pool *p = ctx;

	(void)d;
	if (a->code == 0) {
		log_info("pool.removed", KS("pool", p->name));
		p->removal = REMOVAL_FORGOTTEN;
		pool_touch(p);
		return;
	}
	if (!p->removing)
		return; /* it came back meanwhile */
	p->removal = REMOVAL_WITHDRAWN;
	pool_touch_in(p, REMOVAL_AGAIN_MS);
}

static void removal_finish(struct pool *p)
{
	struct wire_unbind unbind = {.pool = p->name, .how = 1};
	struct wire_commit forget = {.pool = p->name, .generation = 0};

	if (p->listener != NULL) {
		unbind.generation = p->listener->generation;
		queue_unwatch(p);
		link_unbind(&p->m->link, &unbind, NULL, NULL);
		listener_free(p->listener);
		p->listener = NULL;
	}
	p->removal = REMOVAL_ASKED;
	link_commit(&p->m->link, &forget, removal_answered, p);
}

void removal_step(struct pool *p)
{
	if (p->binding)
		return; /* what is bound is told; then it can be let go */
	if (p->removal == REMOVAL_NONE) {
		p->removal = REMOVAL_WITHDRAWN;
		if (p->listener != NULL)
			listen_withdraw(p, p->listener);
	}
	if (p->removal == REMOVAL_WITHDRAWN && queue_ran_dry(p) && p->workers == NULL && p->templates == NULL)
		removal_finish(p);
}

void removal_cancel(struct pool *p)
{
	struct wire_unbind m = {.pool = p->name, .how = 1};

	if (!p->removing)
		return;
	log_info("pool.kept", KS("pool", p->name));
	p->removing = p->drained = false;
	p->removal = REMOVAL_NONE;
	if (p->listener == NULL || !p->listener->withdrawn)
		return;
	/* Its name is gone for good: a new socket, and new workers for it; the old ones serve what is queued on the old. */
	m.generation = p->listener->generation;
	link_unbind(&p->m->link, &m, NULL, NULL);
	queue_unwatch(p);
	listener_free(p->leaving);
	p->leaving = p->listener;
	p->listener = NULL;
	p->tag = p->stable_tag = ++p->last_tag;
	state_save(p);
	pool_touch(p);
}
