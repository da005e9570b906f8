/* Sharing what is scarce (manager process).  Pure: it sees numbers of claims and knows no pool. */
#include "fcgipm/pool/share.h"

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t above(uint32_t a, uint32_t b)
{
	return a > b ? a - b : 0;
}

/* What a claim must come to before another one gets more than that. */
static uint32_t base_of(const struct share_claim *c)
{
	return least(c->wanted, c->min > 0 ? c->min : 1);
}

/* Whatever a claim has by now. */
static uint32_t holds(const struct share_claim *c)
{
	return c->have + c->grant;
}

typedef uint32_t limit_of(const struct share_claim *c, uint32_t cap);

static uint32_t up_to_base(const struct share_claim *c, uint32_t cap)
{
	return least(base_of(c), cap);
}

static uint32_t up_to_wanted(const struct share_claim *c, uint32_t cap)
{
	(void)cap;
	return c->wanted;
}

/* How many it takes to fill every claim to the level, none beyond its limit. */
static uint64_t to_fill(const struct share_claim *claims, size_t count, limit_of *limit, uint32_t level, uint32_t cap)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += above(least(level, limit(&claims[i], cap)), holds(&claims[i]));
	return sum;
}

/* The poorest first, like water: the highest level that `free` can fill, then one each of what remains, in order.  Returns what was not needed. */
static uint32_t pour(struct share_claim *claims, size_t count, limit_of *limit, uint32_t free, uint32_t cap)
{
	uint32_t low = 0, high = UINT32_MAX;

	while (low < high) {
		uint32_t level = low + (high - low) / 2 + 1;

		if (to_fill(claims, count, limit, level, cap) <= free)
			low = level;
		else
			high = level - 1;
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t more = above(least(low, limit(&claims[i], cap)), holds(&claims[i]));

		claims[i].grant += more;
		free -= more;
	}
	for (size_t i = 0; i < count && free > 0 && low < UINT32_MAX; i++) {
		if (holds(&claims[i]) > low || holds(&claims[i]) >= limit(&claims[i], cap))
			continue;
		claims[i].grant++;
		free--;
	}
	return free;
}

/* The cap that is just for all bases when they are more than the total together; one at least, whoever comes to it. */
static uint32_t base_cap(const struct share_claim *claims, size_t count, uint32_t total)
{
	uint32_t low = 0, high = UINT32_MAX;

	while (low < high) {
		uint32_t cap = low + (high - low) / 2 + 1;
		uint64_t sum = 0;

		for (size_t i = 0; i < count; i++)
			sum += up_to_base(&claims[i], cap);
		if (sum <= total)
			low = cap;
		else
			high = cap - 1;
	}
	return low > 0 ? low : 1;
}

static uint64_t to_skim(const struct share_claim *claims, size_t count, uint32_t level, uint32_t cap)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		uint32_t floor = up_to_base(&claims[i], cap);

		sum += above(claims[i].have, level > floor ? level : floor);
	}
	return sum;
}

/* The richest first: down to the lowest level at which no more than `lacking` are taken, then one each of what remains. */
static void skim(struct share_claim *claims, size_t count, uint32_t lacking, uint32_t cap)
{
	uint32_t low = 0, high = UINT32_MAX;

	while (low < high) {
		uint32_t level = low + (high - low) / 2;

		if (to_skim(claims, count, level, cap) <= lacking)
			high = level;
		else
			low = level + 1;
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t floor = up_to_base(&claims[i], cap);

		claims[i].give = above(claims[i].have, low > floor ? low : floor);
		lacking -= claims[i].give;
	}
	for (size_t i = 0; i < count && lacking > 0; i++) {
		if (claims[i].have - claims[i].give != low || low <= up_to_base(&claims[i], cap))
			continue;
		claims[i].give++;
		lacking--;
	}
}

void share_out(struct share_claim *claims, size_t count, uint32_t total, uint32_t alive, uint32_t leaving)
{
	uint32_t cap = base_cap(claims, count, total), free;
	uint64_t lacking;

	for (size_t i = 0; i < count; i++)
		claims[i].grant = claims[i].give = 0;
	free = pour(claims, count, up_to_base, above(total, alive), cap);
	lacking = to_fill(claims, count, up_to_base, UINT32_MAX, cap);
	if (lacking > leaving)
		skim(claims, count, (uint32_t)(lacking - leaving > total ? total : lacking - leaving), cap);
	else if (lacking == 0)
		pour(claims, count, up_to_wanted, free, 0);
}
