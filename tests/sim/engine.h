/* One pool in simulated time: requests arrive, wait, are served; workers boot, serve, rest, go.  An algorithm decides how many there are. */
#ifndef TESTS_SIM_ENGINE_H
#define TESTS_SIM_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_NEVER INT64_MAX

struct sim;

/* How a manager decides.  Times in microseconds of simulated time. */
struct algorithm {
	const char *name;
	void (*begin)(struct sim *s);
	void (*arrived)(struct sim *s); /* a request came and found no idle worker; NULL: nobody is told */
	int64_t (*tick)(struct sim *s); /* its own clock; the time of the next tick */
	bool polls; /* a waiting request looks for a worker once a second by itself, and asks for one (mod_fcgid); there is no queue */
};

/* A trace: the time of the next arrival after `after`, and how long it will take. */
struct trace {
	const char *name;
	uint32_t min, max; /* workers of the pool */
	int64_t boot_us, length_us;
	bool (*next)(struct sim *s, int64_t after, int64_t *ret_at, int64_t *ret_service_us);
};

enum sim_event { SIM_SERVED, SIM_BOOTED, SIM_POLL };

struct sim_timer {
	int64_t at;
	enum sim_event what;
	int64_t arrived, service; /* SIM_POLL: the request that looks */
	bool again; /* it has looked before */
};

struct sim {
	const struct trace *trace;
	const struct algorithm *algorithm;
	void *state; /* the algorithm's own, zeroed */
	int64_t now, next_tick;
	uint64_t seed;
	uint32_t idle, busy, booting, waiting; /* workers; requests */
	struct {
		int64_t at, service;
	} * queue; /* first in, first out */
	size_t queue_first, queue_count, queue_cap;
	struct sim_timer *timers; /* a heap */
	size_t timer_count, timer_cap;
	int64_t worker_us; /* the integral of workers over time */
	uint32_t starts;
};

/* What is kept over many pools. */
struct tally {
	uint32_t *waits_us;
	size_t count, cap;
	int64_t worker_us;
	uint64_t starts, decisions;
};

static inline uint32_t sim_workers(const struct sim *s)
{
	return s->idle + s->busy + s->booting;
}

/* Within the pool's max. */
void sim_start(struct sim *s, uint32_t count);
/* Idle ones, down to nothing. */
void sim_retire(struct sim *s, uint32_t count);
/* Runs one pool to the end of its trace, and until all is served. */
void sim_run(const struct trace *t, const struct algorithm *a, uint64_t seed, struct tally *ret);
double sim_random(struct sim *s); /* 0 to 1 */

extern const struct algorithm algorithms[];
extern const size_t algorithm_count;
extern const struct trace traces[];
extern const size_t trace_count;

#endif
