/* The scaler: answers worked out by hand, and what must hold for any input. */
#include "fcgipm/pool/scale.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

struct golden {
	const char *what;
	struct scale_input in;
	uint32_t wanted, start, retire;
};

#define DEFAULTS .min = 1, .max = 16, .spare = 1, .concurrency = 1, .boot_parallel = 4, .total_left = 512

static const struct golden goldens[] = {
	{"at start", {DEFAULTS}, 1, 1, 0},
	{"idle", {DEFAULTS, .alive = 1}, 1, 0, 0},
	{"one busy: one spare beside it", {DEFAULTS, .alive = 1, .busy = 1}, 2, 1, 0},
	{"a queue: all that are missing", {DEFAULTS, .alive = 1, .busy = 1, .queued = 2}, 4, 3, 0},
	{"no more than boot_parallel", {DEFAULTS, .alive = 1, .busy = 1, .queued = 9}, 11, 4, 0},
	{"those that boot count as started", {DEFAULTS, .alive = 1, .booting = 3, .busy = 1, .queued = 9}, 11, 1, 0},
	{"boot_parallel is used up", {DEFAULTS, .alive = 1, .booting = 4, .busy = 1, .queued = 9}, 11, 0, 0},
	{"no more than max", {DEFAULTS, .alive = 14, .busy = 14, .queued = 500}, 16, 2, 0},
	{"at max", {DEFAULTS, .alive = 16, .busy = 16, .queued = 500}, 16, 0, 0},
	{"no more than the total", {.min = 1, .max = 16, .spare = 1, .concurrency = 1, .boot_parallel = 4, .total_left = 2, .alive = 1, .queued = 9}, 10, 2, 0},
	{"held by the total", {.min = 1, .max = 16, .spare = 1, .concurrency = 1, .boot_parallel = 4, .alive = 1, .queued = 9}, 10, 0, 0},
	{"surplus, but it was wanted of late", {DEFAULTS, .alive = 8, .peak = 8}, 1, 0, 0},
	{"surplus above the peak", {DEFAULTS, .alive = 8, .peak = 5}, 1, 0, 3},
	{"surplus for the whole window", {DEFAULTS, .alive = 8, .peak = 1}, 1, 0, 7},
	{"max was lowered: the peak is no excuse", {.min = 1, .max = 4, .spare = 1, .concurrency = 1, .boot_parallel = 4, .alive = 8, .peak = 8}, 1, 0, 4},
	{"what boots takes nobody's place", {DEFAULTS, .alive = 1, .booting = 4, .peak = 1}, 1, 0, 0},
	{"threads: busy and queued are counted apart",
	 {.min = 1, .max = 16, .concurrency = 8, .boot_parallel = 4, .total_left = 9, .alive = 2, .busy = 9, .queued = 1},
	 3,
	 1,
	 0},
	{"asleep", {.max = 4, .spare = 1, .concurrency = 1, .boot_parallel = 4, .total_left = 9}, 0, 0, 0},
	{"woken", {.max = 4, .spare = 1, .concurrency = 1, .boot_parallel = 4, .total_left = 9, .queued = 1}, 2, 2, 0},
	{"to sleep again", {.max = 4, .spare = 1, .concurrency = 1, .boot_parallel = 4, .total_left = 9, .alive = 2}, 0, 0, 2},
	{"concurrency 0 counts as 1", {.min = 1, .max = 4, .boot_parallel = 4, .total_left = 9, .busy = 2, .alive = 1}, 2, 1, 0},
	{"numbers at the end of their range",
	 {.min = 1,
	  .max = 4096,
	  .spare = 4096,
	  .concurrency = 1,
	  .boot_parallel = UINT32_MAX,
	  .total_left = UINT32_MAX,
	  .busy = UINT32_MAX,
	  .queued = UINT32_MAX},
	 4096,
	 4096,
	 0},
};

static void golden_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
		const struct golden *g = &goldens[i];
		struct scale_answer a = scale_decide(&g->in);

		if (a.wanted != g->wanted || a.start != g->start || a.retire != g->retire)
			print_error("%s: wanted %u, start %u, retire %u\n", g->what, a.wanted, a.start, a.retire);
		assert_int_equal(a.wanted, g->wanted);
		assert_int_equal(a.start, g->start);
		assert_int_equal(a.retire, g->retire);
		assert_non_null(a.reason);
	}
}

static uint32_t next_random(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % below;
}

static struct scale_input any_input(uint64_t *seed)
{
	struct scale_input in = {
		.queued = next_random(seed, 100),
		.busy = next_random(seed, 100),
		.booting = next_random(seed, 6),
		.alive = next_random(seed, 60),
		.min = next_random(seed, 10),
		.spare = next_random(seed, 5),
		.concurrency = 1 + next_random(seed, 9),
		.boot_parallel = 1 + next_random(seed, 8),
		.total_left = next_random(seed, 30),
		.peak = next_random(seed, 60),
	};

	in.max = in.min + next_random(seed, 40) + 1;
	return in;
}

static void limits_hold(const struct scale_input *in, const struct scale_answer *a)
{
	uint32_t have = in->alive + in->booting;

	assert_true(a->wanted >= in->min && a->wanted <= in->max);
	assert_true(a->start == 0 || a->retire == 0);
	assert_true(a->start <= in->total_left);
	assert_true(a->start == 0 || have + a->start <= in->max);
	assert_true(a->start == 0 || in->booting + a->start <= in->boot_parallel);
	assert_true(a->retire <= in->alive);
	assert_true(a->retire == 0 || in->alive - a->retire >= a->wanted);
	assert_true(a->retire == 0 || in->peak > in->max || in->alive - a->retire >= in->peak);
}

/* All that are missing, unless a limit says no. */
static void nothing_is_left_undone(const struct scale_input *in, const struct scale_answer *a)
{
	uint32_t have = in->alive + in->booting;

	if (have < a->wanted && have + a->start < a->wanted)
		assert_true(a->start == in->total_left || in->booting + a->start >= in->boot_parallel);
	assert_true(in->alive - a->retire <= in->max);
}

static void more_load_never_wants_less(const struct scale_input *in, const struct scale_answer *a)
{
	struct scale_input more = *in;
	struct scale_answer b;

	more.busy++;
	b = scale_decide(&more);
	assert_true(b.wanted >= a->wanted && b.start >= a->start && b.retire <= a->retire);
	more = *in;
	more.queued++;
	b = scale_decide(&more);
	assert_true(b.wanted >= a->wanted && b.start >= a->start && b.retire <= a->retire);
}

static void what_always_holds(void **state)
{
	uint64_t seed = 20050611;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct scale_input in = any_input(&seed);
		struct scale_answer a = scale_decide(&in);

		limits_hold(&in, &a);
		nothing_is_left_undone(&in, &a);
		more_load_never_wants_less(&in, &a);
	}
}

/* Doing what it says leads to rest: no input makes it start and retire in turns. */
static void it_comes_to_rest(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct scale_input in = any_input(&seed);
		struct scale_answer a;
		int steps = 0;

		in.total_left = 1000;
		do {
			a = scale_decide(&in);
			in.alive += in.booting - a.retire;
			in.booting = a.start;
			assert_true(++steps < 200);
		} while (in.booting > 0 || a.retire > 0 || in.alive < a.wanted || in.alive > in.max);
		assert_true(in.alive >= a.wanted && in.alive <= in.max);
	}
}

/* Those that an earlier manager kept are not surplus before the whole idle_timeout has passed under the new one. */
static void adopted_workers_were_wanted(void **state)
{
	struct scale_window w = {0};
	struct scale_input in = {DEFAULTS, .alive = 12};

	(void)state;
	for (int i = 0; i < 12; i++)
		scale_was_wanted(&w);
	for (int64_t now = 1000; now < 1000 + 26000; now += 1000)
		assert_int_equal(scale_step(&w, &in, 30000, now).retire, 0);
	assert_int_equal(scale_step(&w, &in, 30000, 1000 + 31000).retire, 11);
}

/* ---- recorded traces: what a manager saw, moment by moment, and what it is to decide ---- */

struct moment {
	int64_t at_ms;
	uint32_t queued, busy, booting, alive;
	uint32_t start, retire;
};

/* 64 requests of a second at once on a pool of 2 to 64 workers, 20 ms to boot; then nothing. */
static const struct moment burst[] = {
	{0, 0, 0, 0, 2, 0, 0},      {5000, 62, 2, 0, 2, 32, 0}, {5004, 62, 2, 32, 2, 0, 0}, {5024, 30, 34, 0, 34, 30, 0}, {5044, 0, 64, 0, 64, 0, 0},
	{6100, 0, 0, 0, 64, 0, 0},  {9900, 0, 0, 0, 64, 0, 0},  {13700, 0, 0, 0, 64, 0, 0}, {17500, 0, 0, 0, 64, 0, 0},   {21300, 0, 0, 0, 64, 0, 0},
	{25100, 0, 0, 0, 64, 0, 0}, {28900, 0, 0, 0, 64, 0, 0}, {32700, 0, 0, 0, 64, 0, 0}, {36500, 0, 0, 0, 64, 0, 62},  {40300, 0, 0, 0, 2, 0, 0},
};
/* Requests of 50 ms from 3 clients: three busy and one spare, whatever a single sample says. */
static const struct moment steady[] = {
	{0, 1, 2, 0, 2, 2, 0},     {20, 0, 3, 0, 4, 0, 0},    {3800, 0, 1, 0, 4, 0, 0},  {7600, 0, 3, 0, 4, 0, 0},  {11400, 0, 0, 0, 4, 0, 0},
	{15200, 0, 3, 0, 4, 0, 0}, {30400, 0, 2, 0, 4, 0, 0}, {34200, 0, 3, 0, 4, 0, 0}, {60000, 0, 3, 0, 4, 0, 0},
};
/* A sleeping pool is woken, serves one visitor, sleeps again. */
static const struct moment visit[] = {
	{0, 0, 0, 0, 0, 0, 0},      {600000, 1, 0, 0, 0, 2, 0}, {600021, 0, 1, 0, 2, 0, 0}, {600200, 0, 0, 0, 2, 0, 0}, {604000, 0, 0, 0, 2, 0, 0},
	{608000, 0, 0, 0, 2, 0, 0}, {612000, 0, 0, 0, 2, 0, 0}, {616000, 0, 0, 0, 2, 0, 0}, {620000, 0, 0, 0, 2, 0, 0}, {624000, 0, 0, 0, 2, 0, 0},
	{628000, 0, 0, 0, 2, 0, 0}, {632000, 0, 0, 0, 2, 0, 2}, {636000, 0, 0, 0, 0, 0, 0},
};

static void follow(const struct moment *m, size_t count, struct scale_input limits)
{
	struct scale_window w = {0};

	for (size_t i = 0; i < count; i++) {
		struct scale_input in = limits;
		struct scale_answer a;

		in.queued = m[i].queued;
		in.busy = m[i].busy;
		in.booting = m[i].booting;
		in.alive = m[i].alive;
		a = scale_step(&w, &in, 30000, m[i].at_ms + 1);
		if (a.start != m[i].start || a.retire != m[i].retire)
			print_error("at %lld ms: start %u, retire %u\n", (long long)m[i].at_ms, a.start, a.retire);
		assert_int_equal(a.start, m[i].start);
		assert_int_equal(a.retire, m[i].retire);
	}
}

static void golden_traces(void **state)
{
	struct scale_input limits = {.min = 2, .max = 64, .spare = 1, .concurrency = 1, .boot_parallel = 32, .total_left = 500};

	(void)state;
	follow(burst, sizeof(burst) / sizeof(burst[0]), limits);
	follow(steady, sizeof(steady) / sizeof(steady[0]), limits);
	limits.min = 0;
	follow(visit, sizeof(visit) / sizeof(visit[0]), limits);
}

/* Nothing goes that was wanted within seven eighths of idle_timeout: what a pool needs again a moment later was never taken from it. */
static void nothing_flaps(void **state)
{
	enum { STEPS = 4000, STEP_MS = 400, TIMEOUT_MS = 30000, KEPT = TIMEOUT_MS * 7 / 8 / STEP_MS };
	static uint32_t wanted[STEPS];
	struct scale_window w = {0};
	struct scale_input in = {.min = 1, .max = 60, .spare = 1, .concurrency = 1, .boot_parallel = 60, .total_left = 1000, .alive = 1};
	uint64_t seed = 42;

	(void)state;
	for (int i = 0; i < STEPS; i++) {
		struct scale_answer a;

		if (next_random(&seed, 40) == 0)
			in.busy = next_random(&seed, 50);
		a = scale_step(&w, &in, TIMEOUT_MS, 1 + (int64_t)i * STEP_MS);
		wanted[i] = a.wanted;
		for (int k = i; a.retire > 0 && k >= 0 && k > i - KEPT; k--)
			assert_true(in.alive - a.retire >= wanted[k]);
		in.alive += a.start - a.retire;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_answers), cmocka_unit_test(what_always_holds), cmocka_unit_test(it_comes_to_rest),
		cmocka_unit_test(golden_traces),  cmocka_unit_test(nothing_flaps),     cmocka_unit_test(adopted_workers_were_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
