/* make sim: every trace under every algorithm; how long requests waited, and what that cost.  sim [POOLS]: so many small sites (1,000). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/engine.h"

static int by_wait(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double wait_ms(const struct tally *t, double share)
{
	size_t at = (size_t)((double)t->count * share);

	return t->count == 0 ? 0 : t->waits_us[at < t->count ? at : t->count - 1] / 1000.0;
}

static double seconds_used(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void row(const struct trace *t, const struct algorithm *a, unsigned pools)
{
	struct tally sum = {0};
	double begun = seconds_used();

	for (unsigned i = 0; i < pools; i++)
		sim_run(t, a, 20050611 + i, &sum);
	qsort(sum.waits_us, sum.count, sizeof(*sum.waits_us), by_wait);
	printf("  %-18s %10zu %9.1f %10.1f %10.1f %15.0f %9llu %8.1f\n", a->name, sum.count, wait_ms(&sum, 0.5), wait_ms(&sum, 0.99), wait_ms(&sum, 1),
	       (double)sum.worker_us / 1e6, (unsigned long long)sum.starts, seconds_used() - begun);
	free(sum.waits_us);
}

int main(int argc, char **argv)
{
	unsigned sites = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000;

	for (size_t i = 0; i < trace_count; i++) {
		unsigned pools = strcmp(traces[i].name, "small sites") == 0 ? sites : 1;

		printf("%s%s: %u pool%s, %u to %u workers, %.0f ms to boot, %.0f s\n", i > 0 ? "\n" : "", traces[i].name, pools, pools == 1 ? "" : "s",
		       traces[i].min, traces[i].max, (double)traces[i].boot_us / 1e3, (double)traces[i].length_us / 1e6);
		printf("  %-18s %10s %9s %10s %10s %15s %9s %8s\n", "", "requests", "p50 ms", "p99 ms", "longest ms", "worker-seconds", "starts", "CPU s");
		for (size_t k = 0; k < algorithm_count; k++)
			row(&traces[i], &algorithms[k], pools);
	}
	return 0;
}
