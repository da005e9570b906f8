/* Workers (manager process): it asks the launcher for them and believes what it says of them; it signals nobody itself. */
#include "fcgipm/manager/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/log.h"
#include "fcgipm/manager/boot.h"
#include "fcgipm/manager/manager.h"
#include "fcgipm/manager/transition.h"

enum { NO_ROOM_MS = 100, NO_ROOM_AGAIN_MS = 10000 /* without it, for the log to say so once more */ };

/* ---- the table by id ---- */

static struct worker **bucket_of(struct manager *m, uint64_t id)
{
	return &m->workers[id % MANAGER_WORKER_BUCKETS];
}

struct worker *manager_worker(struct manager *m, uint64_t id)
{
	struct worker *w = *bucket_of(m, id);

	while (w != NULL && w->id != id)
		w = w->next_by_id;
	return w;
}

static void worker_enter(struct worker *w, uint64_t id)
{
	struct worker **bucket = bucket_of(w->pool->m, id);

	w->id = id;
	w->next_by_id = *bucket;
	*bucket = w;
}

static void worker_leave(struct worker *w)
{
	struct worker **at = bucket_of(w->pool->m, w->id);

	while (*at != NULL && *at != w)
		at = &(*at)->next_by_id;
	if (*at != NULL)
		*at = w->next_by_id;
}

static void worker_timer(evutil_socket_t fd, short what, void *ctx);

static struct worker *worker_new(struct pool *p, bool is_template)
{
	struct worker *w = calloc(1, sizeof(*w));
	struct worker **end = is_template ? &p->templates : &p->workers;

	if (w == NULL)
		return NULL;
	w->pool = p;
	w->is_template = is_template;
	board_take_slot(w, board_free_slot(p));
	w->output.fd = -1;
	evtimer_assign(&w->timer, p->m->base, worker_timer, w);
	while (*end != NULL)
		end = &(*end)->next;
	*end = w;
	p->m->worker_count += !is_template;
	return w;
}

void worker_free(struct worker *w)
{
	struct worker **at = w->is_template ? &w->pool->templates : &w->pool->workers;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	board_give_slot(w);
	w->pool->m->worker_count -= !w->is_template;
	shares_freed(w->pool->m);
	if (w->id != 0)
		worker_leave(w);
	event_del(&w->timer);
	retire_leave(w);
	link_forget(&w->pool->m->link, w);
	output_close(w);
	free(w);
}

/* ---- states ---- */

static void do_ready(struct worker *w)
{
	w->was_ready = true;
	w->ready_ms = fp_now_ms();
	event_del(&w->timer);
	if (w->is_template)
		return;
	w->pool->belief = pool_max(w->pool);
	w->pool->untold |= board_is_silent(w);
	w->pool->crashes = 0;
	log_debug("worker.ready", KS("pool", w->pool->name), KI("pid", w->pid), KI("ms", w->ready_ms - w->spawned_ms));
	lifetime_watch(w);
}

static void do_kill(struct worker *w)
{
	if (w->id != 0)
		link_signal(&w->pool->m->link, w->id, SIGKILL, NULL, NULL);
}

static void do_arm_stop_timeout(struct worker *w)
{
	int64_t limit = pool_wanted(w->pool)->set.stop_timeout;

	retire_leave(w);
	board_signalled(w);
	if (w->signalled_ms == 0)
		w->signalled_ms = fp_now_ms();
	event_del(&w->timer);
	if (limit > 0)
		timer_arm(&w->timer, w->signalled_ms + limit - fp_now_ms());
}

static void do_look_to_retire(struct worker *w)
{
	event_del(&w->timer);
	retire_begin(w);
}

static void do_nothing(struct worker *w)
{
	(void)w;
}

static void (*const actions[WORKER_ACTION_COUNT])(struct worker *w) = {
	[WORKER_DO_NONE] = do_nothing,
	[WORKER_DO_WATCH_BOOT] = boot_watch,
	[WORKER_DO_READY] = do_ready,
	[WORKER_DO_KILL] = do_kill,
	[WORKER_DO_LOOK_TO_RETIRE] = do_look_to_retire,
	[WORKER_DO_ARM_STOP_TIMEOUT] = do_arm_stop_timeout,
	[WORKER_DO_BURY] = do_nothing, /* worker_exited does it, who knows how it ended */
};

void worker_happened(struct worker *w, enum worker_event event)
{
	enum worker_state before = w->state;
	int action = worker_move(&w->state, event);

	if (action < 0) {
		log_warn("worker.unexpected", KS("pool", w->pool->name), KI("pid", w->pid), KS("state", worker_state_name(before)),
			 KS("what", worker_event_name(event)));
		return;
	}
	log_debug("worker.state", KS("pool", w->pool->name), KI("pid", w->pid), KS("from", worker_state_name(before)), KS("to", worker_state_name(w->state)));
	actions[action](w);
	pool_touch(w->pool);
}

/* What the one timer of a worker is for follows from its state. */
static void worker_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct worker *w = ctx;

	(void)fd;
	(void)what;
	switch (w->state) {
	case WORKER_BOOTING:
		board_scan(w->pool);
		if (w->state == WORKER_BOOTING)
			boot_look(w);
		break;
	case WORKER_READY:
		w->overdue = true;
		pool_touch(w->pool);
		break;
	case WORKER_RETIRING:
		retire_due(w);
		break;
	case WORKER_STOPPING:
		log_warn("worker.stop_timeout", KS("pool", w->pool->name), KI("pid", w->pid));
		worker_happened(w, WORKER_ON_STOP_TIMEOUT);
		break;
	default:
		break;
	}
}

/* ---- start ---- */

/* The template has no room at this moment: it is asked again. */
static void fork_had_no_room(struct pool *p, const char *text)
{
	int64_t now = fp_now_ms();

	if (now - p->no_room_ms >= NO_ROOM_AGAIN_MS)
		log_error("worker.start_failed", KS("pool", p->name), KS("error", text));
	p->no_room_ms = now;
}

static void start_refused(struct worker *w, const struct wire_answer *a)
{
	struct pool *p = w->pool;
	struct backoff_rule rule = pool_backoff_rule(p);
	int64_t now = fp_now_ms();
	bool old = worker_is_old(w);
	uint64_t parent = w->parent;
	bool renews = w->is_template && template_ready(p) != NULL && template_ready(p) != w, first = p->held_until_ms <= now;
	char text[512];

	snprintf(text, sizeof(text), "cannot start a worker: %s", a->text[0] != '\0' ? a->text : strerror(a->code));
	worker_free(w);
	pool_touch(p);
	if (old) { /* the new kind is not held back by that */
		p->transition.old_failed = true;
		return;
	}
	if (!renews)
		p->held_until_ms = now + NO_ROOM_MS;
	if (a->code == EAGAIN || a->code == ESRCH)
		return; /* no room at this moment, or the template has ended: asked again */
	pool_set_error(p, "%s", text);
	if (!first)
		return; /* one of several that were asked for at once: one failure */
	if (parent != 0 && a->code == ENOMEM) {
		fork_had_no_room(p, text);
		return;
	}
	log_error("worker.start_failed", KS("pool", p->name), KS("error", text));
	template_lost(p, parent, a->code == ETIMEDOUT, a->text);
	if (renews)
		backoff_crash(&p->renewal, &rule, now);
	else
		pool_back_off(p);
}

static void start_answered(void *ctx, const struct wire_answer *a, struct wire_dgram *d)
{
	struct worker *w = ctx;

	if (a->code != 0) {
		start_refused(w, a);
		return;
	}
	w->pid = (pid_t)a->number;
	worker_enter(w, a->value);
	output_open(w, wire_take_fd(d, 0));
	if (w->is_template)
		log_info("template.start", KS("pool", w->pool->name), KI("pid", w->pid));
	else
		log_info("worker.start", KS("pool", w->pool->name), KI("pid", w->pid));
	if (w->state == WORKER_RETIRING)
		retire_due(w);
	pool_touch(w->pool);
}

/* Which kind. */
struct kind {
	uint32_t generation, tag;
};

static struct kind wanted(const struct pool *p)
{
	return (struct kind){pool_wanted(p)->generation, p->tag};
}

static bool start_one(struct pool *p, struct kind kind, enum wire_start how, uint64_t template_)
{
	struct worker *w = worker_new(p, how == WIRE_START_TEMPLATE);
	struct wire_spawn m = {.pool = p->name, .how = (uint8_t)how, .template_ = template_};

	if (w == NULL)
		return false;
	m.generation = w->generation = kind.generation;
	m.tag = w->tag = kind.tag;
	m.slot = w->slot;
	w->parent = template_;
	w->spawned_ms = fp_now_ms();
	w->depth_peak = queue_depth(p);
	link_spawn(&p->m->link, &m, start_answered, w);
	return true;
}

void template_start(struct pool *p)
{
	start_one(p, wanted(p), WIRE_START_TEMPLATE, 0);
}

bool worker_start(struct pool *p)
{
	struct worker *t;

	if (!template_is_wanted(p))
		return start_one(p, wanted(p), WIRE_START_EXEC, 0);
	t = template_ready(p);
	if (t != NULL)
		return start_one(p, wanted(p), WIRE_START_FORK, t->id);
	template_boot(p);
	return false; /* when that is ready */
}

bool worker_start_old(struct pool *p)
{
	const struct worker *t = template_of_old(p);

	return t != NULL && start_one(p, (struct kind){p->current->generation, p->stable_tag}, WIRE_START_FORK, t->id);
}

/* ---- one of the manager before us ---- */

static void adopt_state(struct worker *w, uint8_t stage)
{
	w->execed_ms = w->spawned_ms;
	switch (stage) {
	case WIRE_STAGE_EXECED:
		worker_happened(w, WORKER_ON_EXECED);
		break;
	case WIRE_STAGE_SIGNALLED:
		w->asked = true;
		worker_happened(w, WORKER_ON_RETIRE);
		worker_happened(w, WORKER_ON_SIGNALLED);
		break;
	case WIRE_STAGE_KILLED:
		w->asked = true;
		worker_happened(w, WORKER_ON_KILL);
		break;
	default:
		break;
	}
}

/* It was to come, and has, or will not: then others are asked for as they are needed. */
static void worker_comes(struct worker *w, const struct wire_worker *m)
{
	if (m->pid == 0) {
		pool_touch(w->pool);
		worker_free(w);
		return;
	}
	w->pid = m->pid;
	log_info("worker.start", KS("pool", w->pool->name), KI("pid", w->pid));
	worker_happened(w, WORKER_ON_EXECED);
}

bool worker_adopt(struct pool *p, const struct wire_worker *m, struct wire_dgram *d)
{
	struct worker *w = manager_worker(p->m, m->worker);

	if (w != NULL) {
		worker_comes(w, m);
		return true;
	}
	w = worker_new(p, m->how == WIRE_START_TEMPLATE);
	if (w == NULL)
		return false;
	board_give_slot(w);
	board_take_slot(w, m->slot);
	w->pid = m->pid;
	w->generation = m->generation;
	w->tag = m->tag;
	w->spawned_ms = m->spawned_ms;
	w->signalled_ms = m->signalled_ms;
	w->adopted = true;
	w->depth_peak = UINT32_MAX; /* we cannot know that it has not served */
	worker_enter(w, m->worker);
	output_open(w, wire_take_fd(d, 0));
	if (m->tag > p->last_tag)
		p->last_tag = m->tag;
	adopt_state(w, m->stage);
	if (!w->is_template && m->stage <= WIRE_STAGE_EXECED)
		scale_was_wanted(&p->queue.window);
	w->hooked = w->is_template && m->hooked;
	if (w->hooked && w->state == WORKER_BOOTING)
		template_hooked(w, 0);
	if (w->hooked)
		w->ready_ms = w->spawned_ms; /* since when exactly nobody remembers */
	return true;
}
