/* How many workers a pool needs (manager process).  Pure. */
#include "fcgipm/pool/scale.h"

static uint32_t least(uint64_t a, uint64_t b)
{
	return (uint32_t)(a < b ? a : b);
}

static uint64_t per_worker(uint32_t requests, uint32_t concurrency)
{
	uint64_t each = concurrency == 0 ? 1 : concurrency;

	return (requests + each - 1) / each;
}

/* What waits gets workers of its own: a worker with room for it would have taken it.  A pool that may sleep (min 0) keeps no spare worker while nobody
 * wants it. */
static uint32_t wanted_of(const struct scale_input *in)
{
	uint64_t load = per_worker(in->busy, in->concurrency) + per_worker(in->queued, in->concurrency);
	uint64_t want = load == 0 && in->min == 0 ? 0 : load + in->spare;

	if (want < in->min)
		want = in->min;
	return least(want, in->max);
}

struct scale_answer scale_decide(const struct scale_input *in)
{
	struct scale_answer a = {.wanted = wanted_of(in), .reason = "as many as wanted"};
	uint64_t have = (uint64_t)in->alive + in->booting;
	uint32_t keep = a.wanted > in->peak ? a.wanted : in->peak;

	if (keep > in->max)
		keep = in->max;
	if (have < a.wanted) {
		uint32_t boots = in->boot_parallel > in->booting ? in->boot_parallel - in->booting : 0;

		a.start = least(a.wanted - have, least(boots, in->total_left));
		a.reason = a.start == 0          ? boots == 0 ? "boot_parallel" : "manager.max_workers"
			   : a.wanted <= in->min ? "workers.min"
			   : in->queued > 0      ? "load"
						 : "workers.spare";
	} else if (in->alive > keep) {
		/* What still boots takes nobody's place: it may die. */
		a.retire = in->alive - keep;
		a.reason = "surplus for the whole idle_timeout";
	}
	return a;
}

/* The most that was wanted within the last idle_timeout, this included. */
static uint32_t window_note(struct scale_window *w, uint32_t wanted, int64_t idle_timeout_ms, int64_t now_ms)
{
	int64_t turn = idle_timeout_ms / SCALE_PEAKS + 1;
	uint32_t most = 0;

	if (w->turned_ms == 0)
		w->turned_ms = now_ms;
	for (unsigned i = 0; i < SCALE_PEAKS && now_ms - w->turned_ms >= turn; i++) {
		w->at = (w->at + 1) % SCALE_PEAKS;
		w->peaks[w->at] = 0;
		w->turned_ms = i + 1 < SCALE_PEAKS ? w->turned_ms + turn : now_ms;
	}
	if (wanted > w->peaks[w->at])
		w->peaks[w->at] = wanted;
	for (unsigned i = 0; i < SCALE_PEAKS; i++)
		if (w->peaks[i] > most)
			most = w->peaks[i];
	return most;
}

void scale_was_wanted(struct scale_window *w)
{
	w->peaks[w->at]++;
}

struct scale_answer scale_step(struct scale_window *w, struct scale_input *in, int64_t idle_timeout_ms, int64_t now_ms)
{
	in->peak = window_note(w, wanted_of(in), idle_timeout_ms, now_ms);
	return scale_decide(in);
}
