/* Status snapshots (manager process). */
#include "fcgipm/manager/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/manager/manager.h"
#include "fcgipm/probe/process.h"
#include "fcgipm/probe/queue.h"
#include "fcgipm/wire/status.h"

enum { SNAPSHOT_FIRST = 1 << 16, SNAPSHOT_MOST = 256 << 20, NOTES_MAX = 6 };

/* What is measured once for all pools. */
struct survey {
	size_t count;
	struct pool **pools;
	struct probe_listener *ids;
	uint32_t *busy;
	bool busy_known;
	bool all; /* not one pool alone: profiles too */
};

static bool is_asked_for(const struct pool *p, const char *name)
{
	return pool_wanted(p) != NULL && (name[0] == '\0' || strcmp(p->name, name) == 0);
}

static void count_one(void *ctx, size_t index, uint32_t inode)
{
	uint32_t *busy = ctx;

	(void)inode;
	busy[index]++;
}

static int by_name(const void *a, const void *b)
{
	const struct pool *const *pa = a, *const *pb = b;

	return strcmp((*pa)->name, (*pb)->name);
}

static void survey_free(struct survey *s)
{
	free(s->pools);
	free(s->ids);
	free(s->busy);
}

/* A pool without a listener is asked for with an id that nothing matches. */
static int survey_make(struct manager *m, const char *name, struct survey *s)
{
	*s = (struct survey){
		.pools = calloc(m->pool_count + 1, sizeof(*s->pools)),
		.ids = calloc(m->pool_count + 1, sizeof(*s->ids)),
		.busy = calloc(m->pool_count + 1, sizeof(*s->busy)),
		.all = name[0] == '\0',
	};
	if (s->pools == NULL || s->ids == NULL || s->busy == NULL) {
		survey_free(s);
		return -ENOMEM;
	}
	for (struct pool *p = m->first_pool; p != NULL; p = p->next)
		if (is_asked_for(p, name))
			s->pools[s->count++] = p;
	qsort(s->pools, s->count, sizeof(*s->pools), by_name);
	for (size_t i = 0; i < s->count; i++)
		if (s->pools[i]->listener != NULL)
			s->ids[i] = s->pools[i]->listener->id;
	s->busy_known = probe_connections(m->diag_fd, s->ids, s->count, count_one, s->busy) == 0;
	return 0;
}

static int64_t memory_of(const struct pool *p)
{
	int64_t sum = 0;

	for (const struct worker *w = p->workers; w != NULL; w = w->next) {
		int64_t one = w->pid > 0 ? probe_memory(w->pid) : 0;

		if (one == -ESRCH || one == -ENOENT)
			continue;
		if (one < 0)
			return WIRE_UNKNOWN;
		sum += one;
	}
	return sum;
}

/* idle + busy + booting + retiring = total, always: a worker that serves counts as busy, but no more of them than there are. */
static void put_workers(struct wire_status_pool *o, const struct pool_census *c, const struct survey *s, size_t i)
{
	uint32_t booting = c->booting + c->old_booting, up = c->total - booting - c->retiring;
	uint32_t busy = s->busy[i] < up ? s->busy[i] : up;

	o->booting = booting;
	o->retiring = c->retiring;
	o->total = c->total;
	o->busy = s->busy_known ? busy : WIRE_UNKNOWN;
	o->idle = s->busy_known ? up - busy : WIRE_UNKNOWN;
}

/* Where every worker has a line of the scoreboard that tells, what these say is exact; a kept connection without a request is no work. */
static void put_board(struct wire_status_pool *o, const struct pool *p)
{
	struct board_census b = board_census(p);
	int64_t up = (int64_t)o->total - o->booting - o->retiring;

	if (!b.exact)
		return;
	o->busy = b.serving < up ? b.serving : up;
	o->idle = up - o->busy;
}

/* Of workers' own numbers, which may be anything. */
static int64_t figure(const struct pool *p, uint64_t n)
{
	if (p->untold || p->board.map == NULL) /* workers with the library count, one request at a time */
		return WIRE_UNKNOWN;
	return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

static void put_counters(struct wire_status_pool *o, const struct pool *p)
{
	const struct pool_counters *c = &p->counters;

	o->queue_peak = (int64_t)c->queue_peak;
	o->served = figure(p, c->served);
	o->restarts_exit = (int64_t)c->exits;
	o->restarts_signal = (int64_t)c->signals;
	o->restarts_timeout = (int64_t)c->timeouts;
	o->restarts_boot = (int64_t)c->boots;
	o->restarts_lifetime = (int64_t)c->lifetimes;
	o->restarts_replaced = (int64_t)c->replaced;
	o->restarts_requests = (int64_t)c->requests;
	o->restarts_template = (int64_t)c->templates;
	o->at_max_ms = (int64_t)p->counters.at_max_ms;
	o->held_ms = (int64_t)p->counters.held_ms;
	o->queue_full_ms = (int64_t)p->counters.queue_full_ms;
	o->slow_boot_ms = (int64_t)p->counters.slow_boot_ms;
	o->crashing_ms = (int64_t)p->counters.crashing_ms;
	o->slow = figure(p, c->slow);
	o->busy_ms = figure(p, c->busy_us / 1000);
	o->abandoned = figure(p, c->abandoned);
}

static void put_template(struct wire_status_pool *o, const struct pool *p)
{
	const struct worker *t = template_ready(p);
	int64_t memory = t != NULL ? probe_memory(t->pid) : -1;

	o->template_pid = t != NULL ? t->pid : WIRE_UNKNOWN;
	o->template_age_ms = t != NULL ? fp_now_ms() - t->ready_ms : WIRE_UNKNOWN;
	o->template_memory_bytes = memory > 0 ? memory : WIRE_UNKNOWN;
}

static void put_pids(struct wire_wr *w, const struct pool *p)
{
	uint32_t count = 0;

	for (const struct worker *k = p->workers; k != NULL; k = k->next)
		count += k->pid > 0 && worker_accepts(k->state);
	wire_put_u32(w, count);
	for (const struct worker *k = p->workers; k != NULL; k = k->next)
		if (k->pid > 0 && worker_accepts(k->state))
			wire_put_i32(w, k->pid);
}

static uint32_t make_notes(const struct pool *p, char notes[NOTES_MAX][192])
{
	const struct pool_settings *s = &pool_wanted(p)->set;
	struct board_census c = board_census(p);
	uint32_t n = 0;
	int64_t wait = backoff_wait_ms(&p->backoff, fp_now_ms());

	if (p->min_override >= 0 || p->max_override >= 0)
		snprintf(notes[n++], 192, "scaled by an operator to min %u, max %u", pool_min(p), pool_max(p));
	if (p->backoff.in_row > 0 && !p->failed && (wait > 0 || pool_census(p).ready == 0))
		snprintf(notes[n++], 192,
			 p->listener == NULL ? "could not be bound %u times, the next attempt in %lld ms" : "%u crashes in a row, the next start in %lld ms",
			 p->backoff.in_row, (long long)wait);
	if ((c.blind > 0 || c.silent > 0) && (s->workers_max_requests > 0 || s->request_timeout > 0 || s->request_slow > 0))
		snprintf(notes[n++], 192, "workers.max_requests, request.timeout and request.slow do not hold: %s",
			 c.blind > 0 ? "workers serve several requests at once" : "the library is not in the workers, or they do not wait as it knows");
	if (p->failed && p->current != NULL && p->current->failure == NULL)
		snprintf(notes[n++], 192, "given up: nothing is started before `fcgipm start %s`, a restart or a reload that changes it", p->name);
	if (p->transition.stage != TRANSITION_NONE)
		snprintf(notes[n++], 192, "being replaced: %s", p->transition.why);
	if (p->failed_generation > (p->current != NULL ? p->current->generation : 0) && p->failed_generation >= p->m->generation) /* not of one that is past */
		snprintf(notes[n++], 192, "the configuration of generation %u could not be taken up", p->failed_generation);
	return n;
}

static void put_alarms(struct wire_wr *w, const struct pool *p)
{
	uint32_t count = 0;

	for (unsigned k = 0; k < EPISODE_COUNT; k++)
		count += p->episodes[k].said;
	wire_put_u32(w, count);
	for (unsigned k = 0; k < EPISODE_COUNT; k++)
		if (p->episodes[k].said)
			wire_put_str(w, episode_name((enum episode_kind)k));
}

static void put_decisions(struct wire_wr *w, const struct pool *p)
{
	const struct decision *d;
	int64_t now = fp_now_ms();

	wire_put_u32(w, p->decisions.count);
	for (unsigned i = 0; (d = decisions_get(&p->decisions, i)) != NULL; i++) {
		char text[192];

		decision_text(d, now, text, sizeof(text));
		wire_put_str(w, text);
	}
}

static void put_pool(struct manager *m, struct wire_wr *w, const struct survey *s, size_t i)
{
	struct pool *p = s->pools[i];
	const struct pool_spec *spec = pool_wanted(p);
	struct pool_census c = pool_census(p);
	uint32_t depth = listener_depth(m, p->listener), note_count;
	char notes[NOTES_MAX][192];
	struct wire_status_pool o = {
		.name = p->name,
		.state = pool_state_name(p, &c, depth),
		.start = template_way(p),
		.start_reason = template_reason(p),
		.listen = p->listener != NULL ? p->listener->address : spec->set.listen,
		.user = spec->set.user_name,
		.queue_depth = depth,
		.queue_limit = spec->set.queue_limit,
		.min = pool_min(p),
		.max = pool_max(p),
		.memory_bytes = memory_of(p),
		.generation = spec->generation,
		.last_error = p->last_error != NULL ? p->last_error : "",
	};

	if (depth > p->counters.queue_peak)
		p->counters.queue_peak = depth;
	board_count(p);
	episodes_settle(p);
	put_workers(&o, &c, s, i);
	put_board(&o, p);
	put_counters(&o, p);
	put_template(&o, p);
	wire_put_status_pool(w, &o);
	put_pids(w, p);
	note_count = make_notes(p, notes);
	wire_put_u32(w, note_count);
	for (uint32_t n = 0; n < note_count; n++)
		wire_put_str(w, notes[n]);
	put_alarms(w, p);
	put_decisions(w, p);
}

static void put_all(struct manager *m, struct wire_wr *w, const struct survey *s)
{
	struct wire_status_manager o = {
		.version = m->version != NULL ? m->version : "",
		.pid = getpid(),
		.launcher_pid = m->launcher_pid,
		.uptime_ms = fp_now_ms() - m->launcher_started_ms,
		.generation = m->generation,
		.workers = m->worker_count,
		.max_workers = manager_max_workers(m),
		.manager_starts = m->starts,
		.refused = m->control.refused,
	};

	wire_put_u32(w, WIRE_STATUS_MAGIC);
	wire_put_status_manager(w, &o);
	wire_put_u32(w, (uint32_t)s->count);
	for (size_t i = 0; i < s->count && !w->bad; i++)
		put_pool(m, w, s, i);
	ledger_put(s->all ? &m->ledger : &(struct ledger){.count = 0}, w);
}

static int snapshot_write(struct manager *m, const struct survey *s, int *ret_fd)
{
	for (size_t cap = SNAPSHOT_FIRST + s->count * 512; cap <= SNAPSHOT_MOST; cap *= 2) {
		struct wire_wr w = {.at = malloc(cap), .cap = cap};
		int r = -EAGAIN;

		if (w.at == NULL)
			return -ENOMEM;
		put_all(m, &w, s);
		if (!w.bad)
			r = fp_memfd_sealed("fcgipm-status", w.at, w.len, ret_fd);
		free(w.at);
		if (r != -EAGAIN)
			return r;
	}
	return -E2BIG;
}

int snapshot_make(struct manager *m, const char *pool, int *ret_fd)
{
	struct survey s;
	int r = survey_make(m, pool, &s);

	if (r < 0)
		return r;
	r = snapshot_write(m, &s, ret_fd);
	survey_free(&s);
	return r;
}
