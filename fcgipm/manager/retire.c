/* Retiring (manager process).  The launcher freezes, looks and signals as one act; here is only the patience. */
#include "fcgipm/manager/retire.h"

#include "fcgipm/base/clock.h"
#include "fcgipm/base/log.h"
#include "fcgipm/manager/crew.h"
#include "fcgipm/manager/manager.h"

enum { RETIRE_MOST_MS = 5, RETIRE_PATIENCE_MS = 1000, RETIRE_SLOW_MS = 50 };

/* 1, 2, 4, 5 ms; one that has been busy for long is asked less often, for a two hundredth of that time. */
int64_t retire_wait_ms(unsigned looks, int64_t since_ms)
{
	int64_t wait = looks < 3 ? 1 << looks : RETIRE_MOST_MS;

	if (since_ms / 200 > wait)
		wait = since_ms / 200;
	return wait < RETIRE_SLOW_MS ? wait : RETIRE_SLOW_MS;
}

void retire_line_init(struct manager *m)
{
	struct retire_line *l = &m->retire_line;

	l->first = NULL;
	l->last = &l->first;
	l->asked = 0;
}

void retire_leave(struct worker *w)
{
	struct retire_line *l = &w->pool->m->retire_line;
	struct worker **at = &l->first;

	if (!w->in_line)
		return;
	while (*at != w)
		at = &(*at)->next_in_line;
	*at = w->next_in_line;
	if (*at == NULL)
		l->last = at;
	w->in_line = false;
}

void retire_worker(struct worker *w, enum retire_reason reason)
{
	if (w->retiring != RETIRE_NOT)
		return;
	w->retiring = reason;
	w->asked = true;
	w->retire_ms = fp_now_ms();
	w->looks = 0;
	worker_happened(w, WORKER_ON_RETIRE);
}

void retire_begin(struct worker *w)
{
	if (w->retire_ms == 0)
		w->retire_ms = fp_now_ms();
	retire_due(w);
}

/* Never found idle: the signal that such a worker understands, or a word about it. */
static bool out_of_patience(struct worker *w, bool blind, int64_t now)
{
	const struct pool_settings *s = &pool_wanted(w->pool)->set;
	int signo = s->stop_busy_signal != 0 ? s->stop_busy_signal : blind ? s->stop_signal : 0;

	if (now - w->retire_ms < RETIRE_PATIENCE_MS)
		return false;
	if (signo != 0) {
		log_info("worker.busy_signal", KS("pool", w->pool->name), KI("pid", w->pid), KI("signal", signo));
		link_signal(&w->pool->m->link, w->id, signo, NULL, NULL);
		worker_happened(w, WORKER_ON_SIGNALLED);
		return true;
	}
	if (!w->said_serving) {
		w->said_serving = true;
		log_info("worker.still_serving", KS("pool", w->pool->name), KI("pid", w->pid));
		ops_note(w->pool, "pool %s: worker %d is still serving", w->pool->name, (int)w->pid);
	}
	return false;
}

static void retire_next(struct manager *m);

static void retire_answered(struct worker *w, int64_t look)
{
	int64_t now = fp_now_ms();

	if (w->state != WORKER_RETIRING)
		return;
	if (look == WIRE_LOOK_SERVING)
		board_stop(w, pool_wanted(w->pool)->set.stop_signal);
	if (look == WIRE_LOOK_SIGNALLED)
		worker_happened(w, WORKER_ON_SIGNALLED);
	else if (look != WIRE_LOOK_GONE && !out_of_patience(w, look == WIRE_LOOK_BLIND, now))
		timer_arm(&w->timer, retire_wait_ms(w->looks++, now - w->retire_ms));
}

/* The worker may have gone meanwhile, so it is known by its id alone. */
static void answered(void *ctx, const struct wire_answer *a, struct wire_dgram *d)
{
	struct manager *m = ctx;
	struct worker *w = manager_worker(m, m->retire_line.asked);

	(void)d;
	m->retire_line.asked = 0;
	if (w != NULL)
		retire_answered(w, a->number);
	retire_next(m);
}

static void retire_next(struct manager *m)
{
	struct retire_line *l = &m->retire_line;
	struct worker *w = l->first;

	if (w == NULL || l->asked != 0)
		return;
	retire_leave(w);
	l->asked = w->id;
	if (!w->was_ready) /* a signal that comes while it is forked its language may forget: the line on the board stays */
		board_stop(w, pool_wanted(w->pool)->set.stop_signal);
	link_retire(&m->link, w->id, answered, m);
}

void retire_due(struct worker *w)
{
	struct retire_line *l = &w->pool->m->retire_line;

	if (w->in_line || w->id == 0)
		return; /* without an id: when the launcher has answered */
	w->in_line = true;
	w->next_in_line = NULL;
	*l->last = w;
	l->last = &w->next_in_line;
	retire_next(w->pool->m);
}
