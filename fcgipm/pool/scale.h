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

#endif
