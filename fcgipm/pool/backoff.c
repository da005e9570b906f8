/* Crash damping (manager process).  Pure. */
#include "fcgipm/pool/backoff.h"

#include <sys/wait.h>

enum { HEALTHY_LEAST_MS = 10000, HEALTHY_FACTOR = 10 };

void backoff_crash(struct backoff *b, const struct backoff_rule *r, int64_t now_ms)
{
	b->next_delay_ms = b->next_delay_ms == 0 ? r->delay_ms : b->next_delay_ms * 2;
	if (b->next_delay_ms > r->max_delay_ms)
		b->next_delay_ms = r->max_delay_ms;
	b->not_before_ms = now_ms + b->next_delay_ms;
	b->last_crash_ms = now_ms;
	b->in_row++;
}

void backoff_healthy(struct backoff *b, const struct backoff_rule *r, int64_t now_ms)
{
	int64_t quiet = r->delay_ms * HEALTHY_FACTOR;

	if (quiet < HEALTHY_LEAST_MS)
		quiet = HEALTHY_LEAST_MS;
	if (b->in_row > 0 && now_ms - b->last_crash_ms >= quiet)
		*b = (struct backoff){.in_row = 0};
}

bool backoff_gave_up(const struct backoff *b, const struct backoff_rule *r)
{
	return r->give_up_after > 0 && b->in_row >= r->give_up_after;
}

int64_t backoff_wait_ms(const struct backoff *b, int64_t now_ms)
{
	return b->not_before_ms > now_ms ? b->not_before_ms - now_ms : 0;
}

enum worker_end worker_end_of(int wait_status, bool asked, bool served, bool timed_out, bool spawned)
{
	if (timed_out)
		return served ? WORKER_END_OVERTIME : WORKER_END_TIMEOUT;
	if (!spawned)
		return WORKER_END_SPAWN;
	if (asked)
		return WORKER_END_ASKED;
	if (WIFSIGNALED(wait_status))
		return WORKER_END_SIGNAL;
	if (WEXITSTATUS(wait_status) != 0)
		return WORKER_END_EXIT;
	return served ? WORKER_END_NORMAL : WORKER_END_EARLY;
}

bool worker_end_is_crash(enum worker_end e)
{
	return e != WORKER_END_ASKED && e != WORKER_END_NORMAL && e != WORKER_END_OVERTIME;
}

const char *worker_end_name(enum worker_end e)
{
	static const char *const names[] = {
		[WORKER_END_ASKED] = "asked",      [WORKER_END_NORMAL] = "normal",   [WORKER_END_EXIT] = "exit",        [WORKER_END_SIGNAL] = "signal",
		[WORKER_END_EARLY] = "early exit", [WORKER_END_TIMEOUT] = "timeout", [WORKER_END_OVERTIME] = "timeout", [WORKER_END_SPAWN] = "spawn",
	};

	return names[e];
}
