/* The simulator's clock, queue and workers. */
#include "tests/sim/engine.h"

#include <stdio.h>
#include <stdlib.h>

enum { STATE_BYTES = 1024, POLL_US = 1000000 };

static void *grown(void *at, size_t *cap, size_t need, size_t each)
{
	if (need <= *cap)
		return at;
	*cap = *cap < 16 ? 16 : *cap * 2;
	at = reallocarray(at, *cap, each);
	if (at == NULL)
		abort();
	return at;
}

double sim_random(struct sim *s)
{
	s->seed = s->seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(s->seed >> 11) / (double)(1ULL << 53);
}

/* ---- the heap of timers ---- */

static void timer_push(struct sim *s, struct sim_timer t)
{
	size_t i = s->timer_count++;

	s->timers = grown(s->timers, &s->timer_cap, s->timer_count, sizeof(*s->timers));
	for (; i > 0 && s->timers[(i - 1) / 2].at > t.at; i = (i - 1) / 2)
		s->timers[i] = s->timers[(i - 1) / 2];
	s->timers[i] = t;
}

static struct sim_timer timer_pop(struct sim *s)
{
	struct sim_timer first = s->timers[0], last = s->timers[--s->timer_count];
	size_t i = 0;

	for (size_t k = 1; k < s->timer_count; i = k, k = 2 * i + 1) {
		if (k + 1 < s->timer_count && s->timers[k + 1].at < s->timers[k].at)
			k++;
		if (last.at <= s->timers[k].at)
			break;
		s->timers[i] = s->timers[k];
	}
	s->timers[i] = last;
	return first;
}

/* ---- requests ---- */

static void tally_wait(struct tally *t, int64_t us)
{
	t->waits_us = grown(t->waits_us, &t->cap, t->count + 1, sizeof(*t->waits_us));
	t->waits_us[t->count++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static void serve(struct sim *s, struct tally *t, int64_t arrived, int64_t service)
{
	s->idle--;
	s->busy++;
	tally_wait(t, s->now - arrived);
	timer_push(s, (struct sim_timer){.at = s->now + service, .what = SIM_SERVED});
}

static void enqueue(struct sim *s, int64_t service)
{
	if (s->queue_first > 0 && s->queue_first == s->queue_count)
		s->queue_first = s->queue_count = 0;
	s->queue = grown(s->queue, &s->queue_cap, s->queue_count + 1, sizeof(*s->queue));
	s->queue[s->queue_count].at = s->now;
	s->queue[s->queue_count++].service = service;
	s->waiting++;
}

static void take_waiting(struct sim *s, struct tally *t)
{
	while (s->idle > 0 && s->queue_first < s->queue_count) {
		serve(s, t, s->queue[s->queue_first].at, s->queue[s->queue_first].service);
		s->queue_first++;
		s->waiting--;
	}
}

static void arrive(struct sim *s, struct tally *t, int64_t service)
{
	if (s->idle > 0) {
		serve(s, t, s->now, service);
		return;
	}
	if (s->algorithm->polls) {
		s->waiting++;
		timer_push(s, (struct sim_timer){.at = s->now, .what = SIM_POLL, .arrived = s->now, .service = service});
		return;
	}
	enqueue(s, service);
	if (s->algorithm->arrived != NULL)
		s->algorithm->arrived(s);
}

/* mod_fcgid: whoever finds nobody idle sleeps a second, unless nobody is busy; then it asks for a process and looks again when that is up. */
static void poll_once(struct sim *s, struct tally *t, struct sim_timer p)
{
	if (s->idle > 0) {
		s->waiting--;
		serve(s, t, p.arrived, p.service);
		return;
	}
	p.at = s->now + POLL_US;
	if (p.again || s->busy == 0) {
		s->algorithm->arrived(s);
		p.at = s->now + (s->booting > 0 ? s->trace->boot_us + 1 : POLL_US);
	}
	p.again = true;
	timer_push(s, p);
}

/* ---- workers ---- */

void sim_start(struct sim *s, uint32_t count)
{
	for (; count > 0 && sim_workers(s) < s->trace->max; count--) {
		s->booting++;
		s->starts++;
		timer_push(s, (struct sim_timer){.at = s->now + s->trace->boot_us, .what = SIM_BOOTED});
	}
}

void sim_retire(struct sim *s, uint32_t count)
{
	s->idle -= count < s->idle ? count : s->idle;
}

/* ---- time ---- */

static void pass(struct sim *s, int64_t to)
{
	s->worker_us += (int64_t)sim_workers(s) * (to - s->now);
	s->now = to;
}

static void fire(struct sim *s, struct tally *t)
{
	struct sim_timer timer = timer_pop(s);

	pass(s, timer.at);
	switch (timer.what) {
	case SIM_SERVED:
		s->busy--;
		s->idle++;
		break;
	case SIM_BOOTED:
		s->booting--;
		s->idle++;
		break;
	case SIM_POLL:
		poll_once(s, t, timer);
	}
	take_waiting(s, t);
}

static bool is_over(const struct sim *s, int64_t next)
{
	return next == SIM_NEVER && s->waiting == 0 && s->busy == 0 && s->now >= s->trace->length_us;
}

static void run(struct sim *s, struct tally *t)
{
	int64_t next = SIM_NEVER, service = 0;

	if (!s->trace->next(s, 0, &next, &service))
		next = SIM_NEVER;
	while (!is_over(s, next)) {
		int64_t timer = s->timer_count > 0 ? s->timers[0].at : SIM_NEVER;

		if (next <= timer && next <= s->next_tick && next != SIM_NEVER) {
			pass(s, next);
			arrive(s, t, service);
			if (!s->trace->next(s, s->now, &next, &service))
				next = SIM_NEVER;
		} else if (timer <= s->next_tick && timer != SIM_NEVER) {
			fire(s, t);
		} else if (s->next_tick != SIM_NEVER) {
			pass(s, s->next_tick);
			t->decisions++;
			s->next_tick = s->algorithm->tick(s);
			take_waiting(s, t);
		} else {
			pass(s, s->trace->length_us); /* asleep to the end */
		}
	}
}

void sim_run(const struct trace *t, const struct algorithm *a, uint64_t seed, struct tally *ret)
{
	struct sim s = {.trace = t, .algorithm = a, .seed = seed, .next_tick = SIM_NEVER, .state = calloc(1, STATE_BYTES)};

	if (s.state == NULL)
		abort();
	a->begin(&s);
	run(&s, ret);
	ret->worker_us += s.worker_us;
	ret->starts += s.starts;
	free(s.queue);
	free(s.timers);
	free(s.state);
}
