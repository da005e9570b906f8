/* Watching workers boot (manager process). */
#include "fcgipm/manager/boot.h"

#include "fcgipm/base/clock.h"
#include "fcgipm/base/log.h"
#include "fcgipm/manager/crew.h"
#include "fcgipm/manager/manager.h"

enum { LOOK_FAST_MS = 8, LOOK_SLOW_MS = 64, FAST_FOR_MS = 1000, BLIND_BOOT_MS = 200 };

int64_t boot_wait_ms(unsigned looks, int64_t since_exec_ms)
{
	int64_t most = LOOK_FAST_MS;

	for (int64_t at = FAST_FOR_MS; at <= since_exec_ms && most < LOOK_SLOW_MS; at *= 2)
		most *= 2;
	return looks < 8 && (1 << looks) < most ? 1 << looks : most;
}

/* What an answer to LOOK says of a worker that has exec'd.  One that cannot be looked into is taken to be up when it has not died at once. */
static bool looks_ready(const struct worker *w, int64_t look, int64_t now)
{
	return look == WIRE_LOOK_IDLE || look == WIRE_LOOK_SERVING || (look == WIRE_LOOK_BLIND && now - w->execed_ms >= BLIND_BOOT_MS);
}

static void boot_seen(void *ctx, const struct wire_answer *a, struct wire_dgram *d)
{
	struct worker *w = ctx;
	int64_t now = fp_now_ms(), limit;

	(void)d;
	if (w->state != WORKER_BOOTING || a->number == WIRE_LOOK_GONE)
		return; /* it retires, or its exit is on the way */
	if (looks_ready(w, a->number, now) && w->is_template && w->seen_serving) {
		template_serves(w);
		return;
	}
	w->seen_serving = w->is_template && looks_ready(w, a->number, now); /* the next look is the proof: its own word of why may be on the way */
	if (looks_ready(w, a->number, now) && !w->is_template) {
		worker_happened(w, WORKER_ON_SEEN_READY);
		return;
	}
	limit = pool_wanted(w->pool)->set.workers_boot_timeout;
	if (limit == 0 || now - w->spawned_ms < limit) {
		timer_arm(&w->timer, boot_wait_ms(w->looks++, now - w->execed_ms));
		return;
	}
	w->timed_out = true;
	log_warn("worker.boot_timeout", KS("pool", w->pool->name), KI("pid", w->pid), KI("ms", limit));
	worker_happened(w, WORKER_ON_BOOT_TIMEOUT);
}

void boot_look(struct worker *w)
{
	queue_depth(w->pool);
	link_look(&w->pool->m->link, w->id, boot_seen, w);
}

void boot_watch(struct worker *w)
{
	w->execed_ms = fp_now_ms();
	w->looks = 0;
	timer_arm(&w->timer, boot_wait_ms(w->looks++, 0));
}

void lifetime_watch(struct worker *w)
{
	int64_t limit = pool_wanted(w->pool)->set.workers_max_lifetime;

	if (w->state != WORKER_READY || w->overdue)
		return;
	event_del(&w->timer);
	if (limit > 0)
		timer_arm(&w->timer, w->spawned_ms + limit - fp_now_ms());
}
