/* What a pool suffers from for a while: an event at its beginning (once, and only when it lasts), one at its end, the time that it took in all.  What comes and goes
 * at a steady load is said every EPISODE_AGAIN_MS at most. */
#ifndef FCGIPM_MANAGER_EPISODE_H
#define FCGIPM_MANAGER_EPISODE_H

#include <stdbool.h>
#include <stdint.h>

/* X(NAME, member of pool_counters, the event at its beginning, at its end, ms that it must last to be said, name in status) */
#define EPISODES(X)                                                                                                                                            \
	X(AT_MAX, at_max_ms, "pool.at_max", "pool.below_max", 0, "at_max")                                                                                     \
	X(HELD, held_ms, "pool.held", "pool.has_room", 1000, "held")                                                                                           \
	X(QUEUE_FULL, queue_full_ms, "pool.queue_full", "pool.queue_has_room", 0, "queue_full")                                                                \
	X(SLOW_BOOT, slow_boot_ms, "pool.slow_boot", "pool.booted", 1000, "slow_boot")                                                                         \
	X(CRASHING, crashing_ms, "pool.crashing", "pool.recovered", 1000, "crashing")

#define EPISODE_ENUM(NAME, ...) EPISODE_##NAME,
enum episode_kind { EPISODES(EPISODE_ENUM) EPISODE_COUNT };

struct pool;

enum { EPISODE_AGAIN_MS = 10000 };

struct episode {
	int64_t since_ms; /* 0: it is not there */
	int64_t counted_ms; /* up to when its time is in the counter */
	int64_t logged_ms; /* when its beginning was last in the log; 0 never */
	uint32_t times; /* that it has begun since then */
	bool said, logged; /* it lasts; its beginning is in the log */
};

/* Whether it is there now. */
void episode_note(struct pool *p, enum episode_kind kind, bool there);
/* Brings the counters up to now, before they are told, and keeps them for a successor: what was told never goes back. */
void episodes_settle(struct pool *p);
const char *episode_name(enum episode_kind kind);

#endif
