/* Templates (manager process). */
#include "fcgipm/manager/template.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/log.h"
#include "fcgipm/manager/board.h"
#include "fcgipm/manager/crew.h"
#include "fcgipm/manager/manager.h"
#include "fcgipm/manager/transition.h"
#include "fcgipm/probe/process.h"
#include "include/fcgipm/board.h"

enum { HEALTHY_MS = 10000, GROWN = 2 /* times what it had when it was ready */, MEASURE_MS = 60000, LOST_WORKERS = 3, LOST_TEMPLATES = 2 };

static bool is_set(const struct pool *p, const char *start)
{
	return strcmp(pool_wanted(p)->set.workers_start, start) == 0;
}

bool template_is_wanted(const struct pool *p)
{
	return is_set(p, "prefork") || (!is_set(p, "exec") && p->way.way != WAY_EXEC);
}

static struct worker *find(const struct pool *p, bool hooked)
{
	for (struct worker *t = p->templates; t != NULL; t = t->next)
		if (!worker_is_old(t) && t->retiring == RETIRE_NOT && (hooked ? t->hooked && t->state == WORKER_READY : !t->hooked))
			return t;
	return NULL;
}

struct worker *template_ready(const struct pool *p)
{
	return find(p, true);
}

struct worker *template_of_old(const struct pool *p)
{
	for (struct worker *t = p->templates; t != NULL; t = t->next)
		if (t->hooked && t->state == WORKER_READY && t->retiring == RETIRE_NOT && worker_is_stable(t))
			return t;
	return NULL;
}

bool template_boots(const struct pool *p)
{
	return find(p, false) != NULL;
}

/* Those that are on their way out have a place, too: the pool is steered again when one has gone. */
static bool has_place(const struct pool *p)
{
	unsigned count = 0;

	for (const struct worker *t = p->templates; t != NULL; t = t->next)
		count++;
	return count < WIRE_TEMPLATES_MAX;
}

void template_boot(struct pool *p)
{
	if (find(p, false) == NULL && has_place(p))
		template_start(p);
}

static void go_exec(struct pool *p, const char *reason)
{
	p->way.way = WAY_EXEC;
	snprintf(p->way.reason, sizeof(p->way.reason), "%s", reason);
	if (is_set(p, "prefork")) {
		pool_set_error(p, "workers.start is prefork, and %s", reason);
		if (transition_crashed(p, true, false, p->last_error))
			return;
		p->failed = true;
		log_error("pool.failed", KS("pool", p->name), KI("crashes", 0), KS("error", p->last_error));
		ops_fail(p, p->last_error);
		reload_pool_failed(p, p->last_error);
	} else {
		log_info("pool.exec", KS("pool", p->name), KS("why", reason));
	}
	pool_touch(p);
}

static void become_worker(struct worker *t)
{
	struct worker **at = &t->pool->templates, **end = &t->pool->workers;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	while (*end != NULL)
		end = &(*end)->next;
	*end = t;
	t->next = NULL;
	t->is_template = false;
	t->pool->m->worker_count++;
}

/* It serves all the same, unless nothing but a template will do. */
static void serve_or_go(struct worker *t)
{
	if (is_set(t->pool, "prefork"))
		retire_worker(t, RETIRE_STOPPED);
	else
		become_worker(t);
}

static void measure(struct worker *t)
{
	t->measured_ms = fp_now_ms();
	if (t->resident == 0)
		t->resident = probe_memory(t->pid);
}

void template_hooked(struct worker *t, uint8_t reason)
{
	static const char *const reasons[HOOK_REASON_COUNT] = {
#define REASON(NAME, text) [HOOK_REASON_##NAME] = (text),
		HOOK_REASONS(REASON)};
	struct pool *p = t->pool;

	if (!t->is_template || reason >= HOOK_REASON_COUNT)
		return;
	if (reason != HOOK_REASON_NONE) {
		serve_or_go(t);
		go_exec(p, reasons[reason]);
		return;
	}
	if (!t->hooked) /* else the manager before us has said so */
		log_info("template.ready", KS("pool", p->name), KI("pid", t->pid), KI("ms", fp_now_ms() - t->spawned_ms));
	t->hooked = true;
	if (t->state == WORKER_BOOTING || t->state == WORKER_STARTING)
		worker_happened(t, WORKER_ON_SEEN_READY);
	measure(t);
	p->renewal = (struct backoff){0};
	p->way.way = WAY_PREFORK;
	pool_touch(p);
}

void template_serves(struct worker *t)
{
	struct pool *p = t->pool;
	bool loaded = board_is_loaded(t);

	serve_or_go(t);
	if (t->state == WORKER_BOOTING)
		worker_happened(t, WORKER_ON_SEEN_READY);
	go_exec(p, loaded ? "the application does not wait for connections by accept, select or poll on descriptor 0, is a child of its command (a script "
			    "without exec), or has closed the template's descriptor"
			  : "the library was not loaded: the program is linked statically, has another C library, or cannot reach /proc in its chroot");
}

void template_exited(struct worker *t, const struct wire_exited *m, const char *text)
{
	struct pool *p = t->pool;
	struct backoff_rule rule = pool_backoff_rule(p);
	bool signalled = WIFSIGNALED(m->status);
	int64_t now = fp_now_ms();
	char reason[256];

	fp_log(t->asked || m->status == 0 ? FP_LOG_INFO : FP_LOG_WARN,
	       FP_LOG_LINE("template.exit", KS("pool", p->name), KI("pid", t->pid), KI("status", m->status),
			   KI(signalled ? "signal" : "code", signalled ? WTERMSIG(m->status) : WEXITSTATUS(m->status)), KI("asked", t->asked),
			   KI("lived_ms", now - t->spawned_ms), KS("text", t->asked ? "" : text)));
	if (t->asked || worker_is_old(t))
		return;
	pool_set_error(p, "%s", text);
	if (template_ready(p) != NULL) { /* it was to take the place of that one, which goes on */
		backoff_crash(&p->renewal, &rule, now);
		return;
	}
	if (t->hooked) {
		if (now - t->ready_ms < HEALTHY_MS)
			pool_back_off(p);
		return;
	}
	if (is_set(p, "auto") && m->step[0] == '\0') {
		snprintf(reason, sizeof(reason), "%s",
			 t->timed_out ? "the template did not come to its first accept within boot_timeout" : "the template ended before its first accept");
		go_exec(p, reason);
		p->way.doubtful = true;
		return;
	}
	if (transition_crashed(p, true, false, text))
		return;
	pool_back_off(p);
	ops_fail(p, text);
	reload_pool_failed(p, text);
}

static struct worker *template_by_id(const struct pool *p, uint64_t id)
{
	struct worker *t = p->templates;

	while (t != NULL && (t->id != id || id == 0))
		t = t->next;
	return t;
}

static bool some_live(const struct pool *p)
{
	for (const struct worker *w = p->workers; w != NULL; w = w->next)
		if (w->proven && !worker_is_old(w))
			return true;
	return false;
}

void template_lost(struct pool *p, uint64_t template_, bool at_once, const char *why)
{
	struct worker *t = template_by_id(p, template_);
	char reason[256];

	if (t == NULL || (!at_once && some_live(p)) || worker_is_old(t) || t->retiring != RETIRE_NOT || (++t->lost < LOST_WORKERS && !at_once))
		return;
	log_warn("template.lost", KS("pool", p->name), KI("pid", t->pid), KI("workers", t->lost), KS("text", why));
	retire_worker(t, RETIRE_STOPPED);
	if (++p->way.lost < LOST_TEMPLATES || !is_set(p, "auto"))
		return;
	snprintf(reason, sizeof(reason), "workers that are forked from a template do not live: %s", why);
	go_exec(p, reason);
	p->way.doubtful = true;
	for (struct worker *w = p->workers; w != NULL; w = w->next)
		if (w->parent != 0 && !w->proven && worker_accepts(w->state))
			retire_worker(w, RETIRE_REPLACED); /* it would end like the others */
}

void template_proven(struct pool *p, uint64_t template_)
{
	struct worker *t = template_by_id(p, template_);

	if (t != NULL)
		t->lost = p->way.lost = 0;
}

void template_doubt(struct pool *p)
{
	if (p->way.way != WAY_EXEC || !p->way.doubtful)
		return;
	p->way.way = WAY_UNKNOWN; /* and the reason stays, until it is known better */
	p->way.doubtful = false;
}

void template_try(struct pool *p)
{
	if (p->transition.stage != TRANSITION_BOOT) /* else one takes the place of another that did not come to an end */
		p->way_before = p->way;
	p->way =
		(struct template_way){.way = template_ready(p) != NULL ? WAY_PREFORK : WAY_UNKNOWN}; /* a manager before us may have been in the middle of it */
}

void template_back(struct pool *p)
{
	p->way = p->way_before;
}

/* One that is old, or has grown, is followed by another; it serves until that is ready. */
static bool is_worn(struct worker *t)
{
	const struct pool_settings *s = &pool_wanted(t->pool)->set;
	int64_t now = fp_now_ms(), have;

	if (s->workers_template_lifetime > 0 && now - t->ready_ms >= s->workers_template_lifetime)
		return true;
	if (now - t->measured_ms < MEASURE_MS || t->resident <= 0)
		return false;
	t->measured_ms = now;
	have = probe_memory(t->pid);
	return have > GROWN * t->resident;
}

static void renew(struct pool *p)
{
	struct worker *newest = NULL;
	int64_t now = fp_now_ms(), wait;

	for (struct worker *t = p->templates; t != NULL; t = t->next)
		if (t->hooked && t->state == WORKER_READY && !worker_is_old(t) && t->retiring == RETIRE_NOT)
			newest = t;
	for (struct worker *t = p->templates; t != NULL; t = t->next)
		if (t != newest && t->hooked && !worker_is_old(t) && t->retiring == RETIRE_NOT)
			retire_worker(t, RETIRE_LIFETIME);
	if (newest == NULL)
		return;
	wait = backoff_wait_ms(&p->renewal, now);
	if (wait > 0)
		pool_touch_in(p, wait); /* the one before it did not come up: then we look */
	else if (is_worn(newest))
		template_boot(p); /* it is heard of */
	else if (pool_wanted(p)->set.workers_template_lifetime > 0)
		pool_touch_in(p, newest->ready_ms + pool_wanted(p)->set.workers_template_lifetime - now + 1);
}

/* Of those that are being replaced the one is kept that more can be forked from: beside it there is place for one. */
static bool is_over(const struct worker *t)
{
	return t->pool->transition.stage == TRANSITION_NONE || t != template_of_old(t->pool);
}

static bool is_needed(const struct pool *p)
{
	if (!template_is_wanted(p) || p->stopped || p->drained || p->failed || p->listener == NULL)
		return false;
	return p->workers != NULL || pool_min(p) > 0 || p->wanted > 0 || strcmp(pool_wanted(p)->set.workers_template, "keep") == 0;
}

void template_steer(struct pool *p)
{
	int64_t now = fp_now_ms();
	bool needed = is_needed(p), waits = backoff_wait_ms(&p->backoff, now) > 0 || p->held_until_ms > now;

	for (struct worker *t = p->templates; t != NULL; t = t->next) {
		bool old = worker_is_old(t);

		if (t->retiring == RETIRE_NOT && worker_accepts(t->state) && (old ? is_over(t) : !needed))
			retire_worker(t, old ? RETIRE_REPLACED : RETIRE_STOPPED);
	}
	if (!needed || p->transition.stage == TRANSITION_BIND)
		return;
	if (template_ready(p) == NULL && !waits)
		template_boot(p);
	renew(p);
}

const char *template_way(const struct pool *p)
{
	return (p->way.way == WAY_PREFORK && template_is_wanted(p)) || is_set(p, "prefork") ? "prefork" : "exec";
}

const char *template_reason(const struct pool *p)
{
	if (is_set(p, "exec"))
		return "asked for by workers.start";
	if (p->way.way == WAY_PREFORK)
		return "workers are forked from a template that has booted";
	return p->way.reason[0] != '\0' ? p->way.reason : "no template has booted yet";
}
