/* Crash damping of one pool: delay after each crash, doubling, reset after a healthy while.  Pure. */
#ifndef FCGIPM_POOL_BACKOFF_H
#define FCGIPM_POOL_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct backoff {
	int64_t next_delay_ms; /* 0: no crash of late */
	int64_t not_before_ms; /* monotonic; nothing is started before */
	int64_t last_crash_ms;
	uint32_t in_row;
};
struct backoff_rule {
	int64_t delay_ms, max_delay_ms;
	uint32_t give_up_after; /* crashes in a row; 0 never */
};

void backoff_crash(struct backoff *b, const struct backoff_rule *r, int64_t now_ms);
/* A worker has been healthy: after max(delay x 10, 10 s) without a crash the row is forgotten. */
void backoff_healthy(struct backoff *b, const struct backoff_rule *r, int64_t now_ms);
bool backoff_gave_up(const struct backoff *b, const struct backoff_rule *r);
/* How long a start must still wait, 0: it may start. */
int64_t backoff_wait_ms(const struct backoff *b, int64_t now_ms);

/* How a worker ended, and whether that is a crash: a death by signal, a non-zero exit, or an exit before the first accept; a worker that has
 * served and exits 0 is simply replaced (gitweb exits 0 after every error page), and so is one that we ended over request.timeout (OVERTIME): whoever asks for
 * something slow must not be able to hold back the pool.  asked: we told it to end; timed_out: we ended it, for a request if it served one, else since it did
 * not come up (TIMEOUT). */
enum worker_end {
	WORKER_END_ASKED,
	WORKER_END_NORMAL,
	WORKER_END_EXIT,
	WORKER_END_SIGNAL,
	WORKER_END_EARLY,
	WORKER_END_TIMEOUT,
	WORKER_END_OVERTIME,
	WORKER_END_SPAWN
};
enum worker_end worker_end_of(int wait_status, bool asked, bool served, bool timed_out, bool spawned);
bool worker_end_is_crash(enum worker_end e);
const char *worker_end_name(enum worker_end e);

#endif
