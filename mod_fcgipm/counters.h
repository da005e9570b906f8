/* What is counted by pool and exec profile, over all of httpd's children, in shared memory (runs in httpd). */
#ifndef MOD_FCGIPM_COUNTERS_H
#define MOD_FCGIPM_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "include/fcgipm/protocol.h"
#include "mod_fcgipm/failure.h"

/* X(NAME, text for people, name for machines) */
#define COUNTERS(X)                                                                                                                                            \
	X(REQUESTS, "Requests", "Requests")                                                                                                                    \
	X(RETRIED, "Tried again", "Retried")                                                                                                                   \
	X(ABORTED, "Client left", "Aborted")

/* What is under way. */
#define GAUGES(X)                                                                                                                                              \
	X(CURRENT, "Now", "Current")                                                                                                                           \
	X(SUSPENDED, "of them without a thread", "Suspended")

#define COUNTER_ENUM(NAME, ...) COUNTER_##NAME,
enum counter { COUNTERS(COUNTER_ENUM) COUNTER_FAILURES, COUNTER_COUNT = COUNTER_FAILURES + FAILURE_COUNT };
#define GAUGE_ENUM(NAME, ...) GAUGE_##NAME,
enum gauge { GAUGES(GAUGE_ENUM) GAUGE_COUNT };

/* Before a profile's name: no pool has such a one. */
#define COUNTERS_EXEC "exec:"

struct pool_counters {
	uint32_t taken; /* 0 free, 1 being named, 2 named */
	char name[sizeof(COUNTERS_EXEC) + FCGIPM_POOL_NAME_MAX];
	int64_t value[COUNTER_COUNT];
};

struct counters;

/* Before children are forked, for so many of them; it outlives httpd's restarts.  NULL: no memory. */
struct counters *counters_make(unsigned children);
/* In a child, before its first request; and in the parent, when one has ended: what was under way in it is so no more. */
void counters_begin_child(struct counters *all);
void counters_end_child(struct counters *all, pid_t pid);

/* The pool's; those of the last place are shared by all pools for which there is none left.  NULL without counters. */
struct pool_counters *counters_of(struct counters *all, const char *pool);
/* The first place that is taken at *at or behind it, and *at behind that; NULL at the end. */
const struct pool_counters *counters_next(const struct counters *all, unsigned *at);

void counters_add(struct pool_counters *c, unsigned which, int64_t n);
void gauges_add(const struct pool_counters *c, enum gauge which, int32_t n);
/* Of all children together. */
int64_t gauges_sum(const struct counters *all, const struct pool_counters *c, enum gauge which);

#endif
