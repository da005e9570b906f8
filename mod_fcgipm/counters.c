/* Counters in memory that httpd's children share.  A place is taken by the first child that meets the pool, and never given back: names are bounded.
 * Gauges are each child's own: a child that is killed takes back nothing that it added. */
#include "mod_fcgipm/counters.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PLACES = 4096 };

struct child {
	pid_t pid; /* 0: free */
	int32_t gauge[PLACES][GAUGE_COUNT];
};

struct counters {
	struct pool_counters place[PLACES];
	unsigned child_count;
	struct child child[];
};

/* This process's own, in a child that found a row. */
static struct {
	const struct pool_counters *first;
	struct child *row;
} mine;

struct counters *counters_make(unsigned children)
{
	size_t size = sizeof(struct counters) + children * sizeof(struct child);
	struct counters *all = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (all == MAP_FAILED)
		return NULL;
	all->child_count = children;
	return all;
}

void counters_begin_child(struct counters *all)
{
	mine.row = NULL;
	for (unsigned i = 0; all != NULL && i < all->child_count && mine.row == NULL; i++) {
		pid_t nobody = 0;

		if (__atomic_compare_exchange_n(&all->child[i].pid, &nobody, getpid(), false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			mine.row = &all->child[i];
	}
	mine.first = all != NULL ? all->place : NULL;
}

void counters_end_child(struct counters *all, pid_t pid)
{
	for (unsigned i = 0; all != NULL && i < all->child_count; i++) {
		struct child *child = &all->child[i];

		if (__atomic_load_n(&child->pid, __ATOMIC_ACQUIRE) != pid)
			continue;
		memset(child->gauge, 0, sizeof(child->gauge));
		__atomic_store_n(&child->pid, 0, __ATOMIC_RELEASE);
		return;
	}
}

/* A child that is killed while it names a place leaves that for ever half taken: nobody waits for it long. */
static bool is_named(const struct pool_counters *c)
{
	for (int i = 0; i < 100 && __atomic_load_n(&c->taken, __ATOMIC_ACQUIRE) == 1; i++)
		sched_yield();
	return __atomic_load_n(&c->taken, __ATOMIC_ACQUIRE) == 2;
}

static bool take(struct pool_counters *c, const char *pool)
{
	uint32_t free_place = 0;

	if (!__atomic_compare_exchange_n(&c->taken, &free_place, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return false;
	snprintf(c->name, sizeof(c->name), "%s", pool);
	__atomic_store_n(&c->taken, 2, __ATOMIC_RELEASE);
	return true;
}

struct pool_counters *counters_of(struct counters *all, const char *pool)
{
	struct pool_counters *last;

	if (all == NULL)
		return NULL;
	last = &all->place[PLACES - 1];
	for (struct pool_counters *c = all->place; c < last; c++)
		if (take(c, pool) || (is_named(c) && strcmp(c->name, pool) == 0))
			return c;
	take(last, "(others)");
	return last;
}

const struct pool_counters *counters_next(const struct counters *all, unsigned *at)
{
	while (all != NULL && *at < PLACES) {
		const struct pool_counters *c = &all->place[(*at)++];

		if (__atomic_load_n(&c->taken, __ATOMIC_ACQUIRE) == 2)
			return c;
	}
	return NULL;
}

void counters_add(struct pool_counters *c, unsigned which, int64_t n)
{
	if (c != NULL)
		__atomic_fetch_add(&c->value[which], n, __ATOMIC_RELAXED);
}

void gauges_add(const struct pool_counters *c, enum gauge which, int32_t n)
{
	if (c != NULL && mine.row != NULL)
		__atomic_fetch_add(&mine.row->gauge[c - mine.first][which], n, __ATOMIC_RELAXED);
}

int64_t gauges_sum(const struct counters *all, const struct pool_counters *c, enum gauge which)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < all->child_count; i++)
		if (__atomic_load_n(&all->child[i].pid, __ATOMIC_ACQUIRE) != 0)
			sum += __atomic_load_n(&all->child[i].gauge[c - all->place][which], __ATOMIC_RELAXED);
	return sum;
}
