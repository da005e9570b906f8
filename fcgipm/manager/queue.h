/* When a pool's load is looked at, and what it says.
 *
 * A pool that is idle has its listener watched for one wake-up (never persistently: a busy listener is readable all the time).  A wake-up makes
 * the pool one of those that are sampled: every few ms while connections wait and more workers could help, every 100 ms while it is at its max, slowly while
 * it has more workers than min.  One dump of sock_diag serves all pools that are due.  Reading queues never takes more than a twentieth of the time, dumps, which
 * grow with the sockets of the whole system, on behalf of one pool never more than a two hundredth, except while it grows.
 */
#ifndef FCGIPM_MANAGER_QUEUE_H
#define FCGIPM_MANAGER_QUEUE_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/pool/scale.h"

enum { QUEUE_SAMPLE_MS = 4, QUEUE_CALM_MS = 8, QUEUE_AT_MAX_MS = 100 };

struct manager;
struct pool;
struct listener;

struct queue_watch {
	struct event wake;
	bool armed;
	int64_t due_ms; /* of the next sample; 0: none */
	struct pool *next_sampled, **in_sampler; /* NULL: not on the list */
	int64_t armed_ms, last_wake_ms, sampled_ms, dumped_ms;
	unsigned steady; /* samples to come without a wake-up between: under steady traffic that would come at once */
	unsigned calm; /* samples since a worker was started: a busy pool that has enough is looked at half as often */
	uint32_t depth, busy; /* as last sampled */
	uint32_t going; /* of the busy ones, those that go when they have served */
	struct scale_window window;
};

struct sampler {
	struct event tick;
	int64_t tick_ms; /* when it is armed for; 0: not armed */
	struct pool *first;
	int64_t cost_us; /* of the last round, without a dump */
	int64_t dump_us, dumped_ms; /* what the last dump cost, and when it was */
};

void sampler_init(struct manager *m);
void sampler_fini(struct manager *m);

void queue_fini(struct pool *p);
/* Steering has changed something: watch, sample or rest, whatever the pool now needs. */
void queue_settle(struct pool *p, uint32_t alive);
/* The pool's listener changes or goes; call before the descriptor is closed. */
void queue_unwatch(struct pool *p);
/* A sample at the next turn. */
void queue_sample_soon(struct pool *p);
/* Reads the queue now; 0 when it cannot be read. */
uint32_t queue_depth(struct pool *p);
uint32_t listener_depth(struct manager *m, const struct listener *li);
/* Connections in service at the listener, or -errno. */
int64_t listener_busy(struct manager *m, const struct listener *li);
/* True when somebody has shut it down. */
bool listener_is_shut(const struct listener *li);

#endif
