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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_answers),
		cmocka_unit_test(what_always_holds),
		cmocka_unit_test(it_comes_to_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
