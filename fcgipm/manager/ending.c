/* How a worker or template has ended (manager process): whether that is a crash, what is said of it, counted, and done about it. */
#include "fcgipm/manager/ending.h"

#include <string.h>
#include <sys/wait.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/log.h"
#include "fcgipm/base/text.h"
#include "fcgipm/base/units.h"
#include "fcgipm/manager/crew.h"
#include "fcgipm/manager/listen.h"
#include "fcgipm/manager/manager.h"
#include "fcgipm/manager/transition.h"

struct ending {
	enum worker_end end;
	bool crash, old;
	char text[1400];
};

/* A short-lived worker may serve and exit before anybody saw it ready (gitweb's after each error page).  Then the queue has shrunk; or others came
 * meanwhile, and it is believed, as long as every now and then one of the pool's workers is seen in accept. */
static bool has_served(struct worker *w)
{
	uint32_t depth = queue_depth(w->pool);

	if (w->was_ready || depth < w->depth_peak)
		return true;
	if (w->depth_peak == 0 || w->pool->belief == 0)
		return false;
	w->pool->belief--;
	return true;
}

static void describe(const struct worker *w, const struct wire_exited *m, struct ending *e)
{
	struct fp_text t = FP_TEXT(e->text);
	const char *what = w->is_template ? "template" : "worker";
	size_t before;

	if (m->step[0] != '\0')
		fp_text_add(&t, "could not be started: %s%s%s: %s", m->step, m->detail[0] != '\0' ? " " : "", m->detail, strerror(m->error));
	else if (WIFSIGNALED(m->status))
		fp_text_add(&t, "%s %d ended by signal %s", what, (int)w->pid, fp_signal_name(WTERMSIG(m->status)));
	else
		fp_text_add(&t, "%s %d exited with code %d", what, (int)w->pid, WEXITSTATUS(m->status));
	if (w->over_time)
		fp_text_add(&t, ", over request.timeout");
	else if (w->timed_out)
		fp_text_add(&t, ", not ready within boot_timeout");
	else if (e->crash && !w->was_ready && m->step[0] == '\0')
		fp_text_add(&t, " before its first accept");
	before = t.len;
	fp_text_add(&t, "; last output: ");
	output_tail(&w->output, &t);
	if (t.len == before + sizeof("; last output: ") - 1)
		e->text[before] = '\0';
}

static void count_end(struct worker *w, enum worker_end end)
{
	struct pool_counters *c = &w->pool->counters;

	switch (end) {
	case WORKER_END_ASKED:
		c->lifetimes += w->retiring == RETIRE_LIFETIME;
		c->replaced += w->retiring == RETIRE_REPLACED;
		c->requests += w->retiring == RETIRE_REQUESTS;
		break;
	case WORKER_END_SIGNAL:
		c->signals++;
		break;
	case WORKER_END_TIMEOUT:
	case WORKER_END_OVERTIME:
		c->timeouts++;
		break;
	case WORKER_END_SPAWN:
	case WORKER_END_EARLY:
		c->boots++;
		break;
	default:
		c->exits++;
		break;
	}
}

static void log_end(const struct worker *w, const struct wire_exited *m, const struct ending *e)
{
	bool signalled = WIFSIGNALED(m->status);

	fp_log(e->crash || e->end == WORKER_END_OVERTIME ? FP_LOG_WARN : FP_LOG_INFO,
	       FP_LOG_LINE("worker.exit", KS("pool", w->pool->name), KI("pid", w->pid), KS("end", worker_end_name(e->end)),
			   KI(signalled ? "signal" : "code", signalled ? WTERMSIG(m->status) : WEXITSTATUS(m->status)), KI("strays", m->strays),
			   KI("lived_ms", fp_now_ms() - w->spawned_ms), KS("text", e->text)));
}

static void crashed(struct worker *w, const struct ending *e)
{
	struct pool *p = w->pool;
	struct backoff_rule rule = pool_backoff_rule(p);
	int64_t now = fp_now_ms();

	pool_set_error(p, "%s", e->text);
	if (listener_check(p))
		return; /* no fault of its own */
	if (w->requests <= 1 && !w->proven)
		template_lost(p, w->parent, false, e->text);
	p->transition.old_failed |= e->old;
	if (transition_crashed(p, !w->was_ready, e->old, e->text) || e->old)
		return;
	if (w->was_ready || pool_census(p).ready > 0)
		backoff_healthy(&p->backoff, &rule, now);
	pool_back_off(p);
	if (!w->was_ready) {
		template_doubt(p);
		ops_fail(p, e->text);
		reload_pool_failed(p, e->text);
	}
}

void worker_exited(struct worker *w, const struct wire_exited *m)
{
	struct pool *p = w->pool;
	struct ending e = {.old = worker_is_old(w)};

	if (board_left(w) && !w->asked) {
		w->asked = true;
		w->retiring = RETIRE_REQUESTS;
	}
	w->never_execed = m->step[0] != '\0';
	e.end = worker_end_of(m->status, w->asked, w->timed_out ? w->over_time : has_served(w), w->timed_out, !w->never_execed);
	e.crash = worker_end_is_crash(e.end);
	output_drain(w);
	describe(w, m, &e);
	if (w->is_template) {
		if (!w->asked)
			p->counters.templates++;
		worker_happened(w, WORKER_ON_EXITED);
		template_exited(w, m, e.text);
		worker_free(w);
		pool_touch(p);
		return;
	}
	count_end(w, e.end);
	log_end(w, m, &e);
	worker_happened(w, WORKER_ON_EXITED);
	if (w->requests > (e.crash ? 1 : 0))
		template_proven(p, w->parent);
	if (e.crash)
		crashed(w, &e);
	else if (e.end == WORKER_END_OVERTIME)
		pool_set_error(p, "%s", e.text);
	state_save(p);
	worker_free(w);
	pool_touch(p);
}
