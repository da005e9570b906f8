/* Pools as they are looked at (command line).  Pure: snapshots and the time come from the caller. */
#include "fcgipm/view/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- the difference of two snapshots ---- */

static int by_pool_name(const void *name, const void *pool)
{
	return strcmp(name, ((const struct snapshot_pool *)pool)->figures.name);
}

/* The snapshot is sorted by name; in one that lies, pools are not found. */
static const struct snapshot_pool *pool_before(const struct view *v, const char *name)
{
	return v->before.count > 0 ? bsearch(name, v->before.pools, v->before.count, sizeof(v->before.pools[0]), by_pool_name) : NULL;
}

/* A counter that went back belongs to other pools or another manager than the one before. */
static int64_t rate_of(const struct view *v, const struct snapshot_pool *p)
{
	const struct snapshot_pool *b = pool_before(v, p->figures.name);
	int64_t elapsed_ms = v->now_ms - v->before_ms, served = p->figures.served, had = b != NULL ? b->figures.served : WIRE_UNKNOWN, milli;

	if (served < 0 || had < 0 || served < had || elapsed_ms <= 0)
		return WIRE_UNKNOWN;
	return __builtin_mul_overflow(served - had, INT64_C(1000000), &milli) ? INT64_MAX : milli / elapsed_ms;
}

/* Workers come and go between the two: those that there are now are taken for all of it. */
static int64_t share_of(const struct view *v, const struct snapshot_pool *p)
{
	const struct snapshot_pool *b = pool_before(v, p->figures.name);
	int64_t elapsed_ms = v->now_ms - v->before_ms, busy = p->figures.busy_ms, had = b != NULL ? b->figures.busy_ms : WIRE_UNKNOWN;
	int64_t workers = (int64_t)p->figures.idle + p->figures.busy, percent;

	if (busy < 0 || had < 0 || busy < had || elapsed_ms <= 0 || workers <= 0 || __builtin_mul_overflow(busy - had, INT64_C(100), &percent))
		return WIRE_UNKNOWN;
	percent /= elapsed_ms;
	return percent / workers < 100 ? percent / workers : 100;
}

/* ---- which, and in which order ---- */

static bool word_fits(const struct view_row *row, const char *word, size_t len)
{
	const struct wire_status_pool *f = &row->pool->figures;

	return memmem(f->name, strlen(f->name), word, len) != NULL || (strlen(f->state) == len && memcmp(f->state, word, len) == 0);
}

static bool fits(const struct view *v, const struct view_row *row)
{
	const char *word = v->filter;

	if (v->trouble && !row_has_trouble(row))
		return false;
	while (*(word += strspn(word, " ")) != '\0') {
		size_t len = strcspn(word, " ");

		if (!word_fits(row, word, len))
			return false;
		word += len;
	}
	return true;
}

/* Texts rise and numbers fall, for what is most is looked for; pools that are equal stand by name. */
static int compare(const void *a, const void *b, void *ctx)
{
	const struct view_row *ra = a, *rb = b;
	const struct view *v = ctx;
	int order = 0;

	if (v->sort != NULL && v->sort->number != NULL) {
		int64_t na = v->sort->number(ra), nb = v->sort->number(rb);

		order = na < nb ? 1 : na > nb ? -1 : 0;
	}
	if (order == 0)
		order = strcmp(ra->pool->figures.name, rb->pool->figures.name);
	return v->reverse ? -order : order;
}

void view_arrange(struct view *v)
{
	v->count = 0;
	for (uint32_t i = 0; i < v->now.count; i++) {
		struct view_row row = {.pool = &v->now.pools[i], .rate = rate_of(v, &v->now.pools[i]), .share = share_of(v, &v->now.pools[i])};

		if (fits(v, &row))
			v->rows[v->count++] = row;
	}
	if (v->count > 0)
		qsort_r(v->rows, v->count, sizeof(v->rows[0]), compare, v);
}

int view_take(struct view *v, struct snapshot *s, int64_t at_ms)
{
	struct view_row *rows = calloc((size_t)s->count + 1, sizeof(*rows));

	if (rows == NULL) {
		snapshot_free(s);
		return -ENOMEM;
	}
	free(v->rows);
	v->rows = rows;
	v->live = v->now_ms != 0;
	snapshot_free(&v->before);
	v->before = v->now;
	v->before_ms = v->now_ms;
	v->now = *s;
	v->now_ms = at_ms;
	*s = (struct snapshot){.count = 0};
	view_arrange(v);
	return 0;
}

/* ---- sums ---- */

static void add(int64_t *sum, int64_t n)
{
	if (n < 0)
		return;
	if (*sum == WIRE_UNKNOWN)
		*sum = 0;
	if (__builtin_add_overflow(*sum, n, sum))
		*sum = INT64_MAX;
}

struct view_totals view_totals(const struct view *v)
{
	struct view_totals t = {.queued = WIRE_UNKNOWN, .rate = WIRE_UNKNOWN, .memory_bytes = WIRE_UNKNOWN};

	for (uint32_t i = 0; i < v->now.count; i++) {
		const struct wire_status_pool *f = &v->now.pools[i].figures;

		t.in_state[state_index(f->state)]++;
		add(&t.queued, f->queue_depth);
		add(&t.memory_bytes, f->memory_bytes);
		add(&t.rate, rate_of(v, &v->now.pools[i]));
	}
	return t;
}

void view_fini(struct view *v)
{
	snapshot_free(&v->now);
	snapshot_free(&v->before);
	free(v->rows);
	*v = (struct view){.sort = NULL};
}
