/* Monotonic time (every process). */
#include "fcgipm/base/clock.h"

#include <time.h>

static int64_t read_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t fp_now_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

int64_t fp_used_us(void)
{
	return read_us(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t fp_now_ms(void)
{
	return fp_now_us() / 1000;
}

int64_t fp_us_of(struct timeval t)
{
	return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}
