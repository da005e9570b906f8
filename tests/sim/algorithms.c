/* How many workers: fcgipm's own scaler (fcgipm/pool/scale.c, the code that runs in the manager), and those of the peers as docs/measured.md describes them. */
#include "fcgipm/pool/scale.h"
#include "tests/sim/engine.h"

enum { MS = 1000, SECOND = 1000000, IDLE_TIMEOUT = 30 * SECOND };

/* ---- fcgipm: woken by the listener, then every 4 ms while something waits, every eighth of idle_timeout while there are more than min ---- */

struct ours {
	struct scale_window window;
};

static int64_t ours_tick(struct sim *s)
{
	struct ours *o = s->state;
	struct scale_input in = {
		.queued = s->waiting,
		.busy = s->busy,
		.booting = s->booting,
		.alive = s->idle + s->busy,
		.min = s->trace->min,
		.max = s->trace->max,
		.spare = 1,
		.concurrency = 1,
		.boot_parallel = 32,
		.total_left = UINT32_MAX,
	};
	struct scale_answer a = scale_step(&o->window, &in, IDLE_TIMEOUT / MS, s->now / MS);

	sim_start(s, a.start);
	sim_retire(s, a.retire);
	if (s->waiting > 0)
		return s->now + (sim_workers(s) >= s->trace->max ? 100 * MS : 4 * MS);
	return sim_workers(s) > s->trace->min ? s->now + IDLE_TIMEOUT / SCALE_PEAKS : SIM_NEVER;
}

static void ours_begin(struct sim *s)
{
	sim_start(s, s->trace->min);
	s->next_tick = 0;
}

/* A wake-up of a sleeping pool is looked at at once, of another one after the interval. */
static void ours_arrived(struct sim *s)
{
	int64_t soon = s->now + (sim_workers(s) == 0 ? 0 : 4 * MS);

	if (s->next_tick > soon)
		s->next_tick = soon;
}

/* ---- php-fpm dynamic: a heartbeat of a second; spawns 1, 2, 4 ... 32 while too few are idle, ends one a second while too many are ---- */

struct dynamic {
	uint32_t rate;
};
enum { MIN_SPARE = 1, MAX_SPARE = 3, MOST_RATE = 32 };

static int64_t dynamic_tick(struct sim *s)
{
	struct dynamic *d = s->state;

	if (s->idle > MAX_SPARE) {
		sim_retire(s, 1);
		d->rate = 1;
	} else if (s->idle < MIN_SPARE) {
		uint32_t missing = s->waiting > 0 ? d->rate : MIN_SPARE - s->idle;

		sim_start(s, d->rate < missing ? d->rate : missing);
		d->rate = d->rate < MOST_RATE ? d->rate * 2 : MOST_RATE;
	} else {
		d->rate = 1;
	}
	return s->now + SECOND;
}

static void dynamic_begin(struct sim *s)
{
	struct dynamic *d = s->state;

	d->rate = 1;
	sim_start(s, s->trace->min > MIN_SPARE ? s->trace->min : MIN_SPARE);
	s->next_tick = SECOND;
}

/* ---- php-fpm ondemand: edge-triggered, one fork an edge that finds nobody idle, and edges that come during a fork are one; an idle worker ends after
 * a timeout, one a second ---- */

struct ondemand {
	int64_t idle_since, forked, reap;
	bool edge; /* came during the last fork */
};
enum { FORK = MS };

static void ondemand_arrived(struct sim *s)
{
	struct ondemand *o = s->state;

	if (o->forked != 0 && s->now - o->forked < FORK) {
		o->edge = true;
		s->next_tick = o->forked + FORK;
		return;
	}
	o->forked = s->now;
	sim_start(s, 1);
	if (o->reap == 0)
		o->reap = s->now + SECOND;
	if (s->next_tick > o->reap)
		s->next_tick = o->reap;
}

static int64_t ondemand_tick(struct sim *s)
{
	struct ondemand *o = s->state;

	if (o->edge) {
		o->edge = false;
		if (s->idle == 0)
			sim_start(s, 1);
	}
	if (s->now < o->reap)
		return o->reap;
	if (s->idle == 0) {
		o->idle_since = 0;
	} else if (o->idle_since == 0) {
		o->idle_since = s->now;
	} else if (s->now - o->idle_since >= 10 * SECOND) {
		sim_retire(s, 1);
	}
	o->reap = sim_workers(s) > 0 ? s->now + SECOND : 0;
	return o->reap != 0 ? o->reap : SIM_NEVER;
}

static void ondemand_begin(struct sim *s)
{
	s->next_tick = SIM_NEVER;
}

/* ---- uWSGI cheaper, algorithm backlog: once a second, one more while the queue is longer than 3, one less while it is shorter ---- */

static int64_t backlog_tick(struct sim *s)
{
	enum { OVERLOAD = 3, STEP = 1 };

	if (s->waiting > OVERLOAD)
		sim_start(s, STEP);
	else if (s->waiting < OVERLOAD && sim_workers(s) > (s->trace->min > 0 ? s->trace->min : 1))
		sim_retire(s, 1);
	return s->now + SECOND;
}

static void backlog_begin(struct sim *s)
{
	sim_start(s, s->trace->min > 0 ? s->trace->min : 1);
	s->next_tick = SECOND;
}

/* ---- mod_fcgid: a request that finds nobody idle sleeps a second, then asks; a score of spawns limits that; idle ones end at a scan of 120 s ---- */

struct fcgid {
	double score;
	int64_t scored;
};

static void fcgid_arrived(struct sim *s)
{
	struct fcgid *f = s->state;

	f->score -= (double)(s->now - f->scored) / SECOND;
	f->score = f->score < 0 ? 0 : f->score;
	f->scored = s->now;
	if (f->score >= 10 || sim_workers(s) >= s->trace->max)
		return;
	f->score += 1;
	sim_start(s, 1);
}

static int64_t fcgid_tick(struct sim *s)
{
	enum { KEPT = 3, SCAN = 120 };

	if (sim_workers(s) > KEPT)
		sim_retire(s, sim_workers(s) - KEPT);
	return s->now + (int64_t)SCAN * SECOND;
}

static void fcgid_begin(struct sim *s)
{
	s->next_tick = 120LL * SECOND;
}

const struct algorithm algorithms[] = {
	{"fcgipm", ours_begin, ours_arrived, ours_tick, false},
	{"php-fpm dynamic", dynamic_begin, NULL, dynamic_tick, false},
	{"php-fpm ondemand", ondemand_begin, ondemand_arrived, ondemand_tick, false},
	{"uWSGI backlog", backlog_begin, NULL, backlog_tick, false},
	{"mod_fcgid", fcgid_begin, fcgid_arrived, fcgid_tick, true},
};
const size_t algorithm_count = sizeof(algorithms) / sizeof(algorithms[0]);
