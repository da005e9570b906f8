/* How many workers a pool needs: a pure function of what was measured. */
#ifndef FCGIPM_POOL_SCALE_H
#define FCGIPM_POOL_SCALE_H

#include <stdint.h>

struct scale_input {
	uint32_t queued, busy; /* connections that wait; connections in service */
	uint32_t booting, alive; /* workers that will accept and those that do, of the wanted generation; retiring ones not counted */
	uint32_t min, max, spare, concurrency, boot_parallel;
	uint32_t total_left; /* what manager.max_workers still allows */
	uint32_t peak; /* the most that was wanted within the last idle_timeout */
};
struct scale_answer {
	uint32_t start, retire;
	uint32_t wanted; /* before boot_parallel and the total */
	const char *reason; /* in words, static */
};
struct scale_answer scale_decide(const struct scale_input *in);

/* What was wanted of late: a ring over idle_timeout, so that nothing is retired that was wanted within it.  All zeros at the start, when nothing runs. */
enum { SCALE_PEAKS = 8 };
struct scale_window {
	uint32_t peaks[SCALE_PEAKS];
	unsigned at;
	int64_t turned_ms;
};
/* One more worker was wanted until now: one that an earlier manager kept. */
void scale_was_wanted(struct scale_window *w);
/* scale_decide with the window's peak (in->peak is set), and what is wanted now noted in it. */
struct scale_answer scale_step(struct scale_window *w, struct scale_input *in, int64_t idle_timeout_ms, int64_t now_ms);

#endif
