/* Monotonic time (every process). */
#include "fcgipm/base/clock.h"

#include <time.h>

int64_t fp_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t fp_now_ms(void)
{
	return fp_now_us() / 1000;
}
