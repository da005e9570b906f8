/* Who gets what when there is not enough for all: answers worked out by hand, and what must hold for any claims. */
#include "fcgipm/pool/share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 6 };

struct golden {
	const char *what;
	uint32_t total, alive, leaving;
	size_t count;
	struct share_claim claims[MOST]; /* with the answers */
};

static const struct golden goldens[] = {
	{"enough for all", 10, 2, 0, 2, {{1, 1, 3, 2, 0}, {1, 1, 4, 3, 0}}},
	{"the poorest first", 10, 6, 0, 2, {{5, 1, 9, 0, 0}, {1, 1, 9, 4, 0}}},
	{"then alike", 10, 4, 0, 2, {{3, 1, 9, 2, 0}, {1, 1, 9, 4, 0}}},
	{"what cannot be halved goes to the first", 5, 2, 0, 2, {{1, 1, 9, 2, 0}, {1, 1, 9, 1, 0}}},
	{"min comes before wishes", 10, 8, 0, 2, {{4, 1, 9, 0, 0}, {4, 6, 9, 2, 0}}},
	{"a greedy pool gives one to who has none", 10, 10, 0, 2, {{10, 1, 20, 0, 1}, {0, 0, 5, 0, 0}}},
	{"and as many as another's min", 10, 10, 0, 2, {{10, 1, 20, 0, 3}, {0, 3, 5, 0, 0}}},
	{"the richest gives first", 12, 12, 0, 3, {{8, 1, 8, 0, 2}, {4, 1, 4, 0, 0}, {0, 2, 2, 0, 0}}},
	{"those alike give one each", 12, 12, 0, 3, {{6, 1, 8, 0, 1}, {6, 1, 8, 0, 1}, {0, 2, 2, 0, 0}}},
	{"what is leaving is waited for", 10, 10, 1, 2, {{9, 1, 20, 0, 0}, {0, 0, 5, 0, 0}}},
	{"nobody gives for more than min", 10, 10, 0, 2, {{9, 1, 20, 0, 0}, {1, 1, 20, 0, 0}}},
	{"who has its min keeps it", 4, 4, 0, 2, {{4, 4, 9, 0, 1}, {0, 0, 9, 0, 0}}},
	{"more pools than workers: the first ones have theirs", 2, 2, 0, 3, {{1, 1, 1, 0, 0}, {1, 1, 1, 0, 0}, {0, 1, 1, 0, 0}}},
	{"and nobody keeps two", 2, 2, 0, 3, {{2, 1, 2, 0, 1}, {0, 1, 1, 0, 0}, {0, 1, 1, 0, 0}}},
	{"mins together above the total are shared alike", 6, 0, 0, 2, {{0, 5, 9, 3, 0}, {0, 5, 9, 3, 0}}},
	{"who wants nothing gets nothing", 9, 1, 0, 2, {{1, 1, 1, 0, 0}, {0, 0, 0, 0, 0}}},
	{"the total was lowered below what lives", 4, 9, 0, 2, {{9, 1, 9, 0, 1}, {0, 1, 1, 0, 0}}},
};

static void golden_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
		const struct golden *g = &goldens[i];
		struct share_claim c[MOST];

		memcpy(c, g->claims, sizeof(c));
		share_out(c, g->count, g->total, g->alive, g->leaving);
		for (size_t k = 0; k < g->count; k++) {
			if (c[k].grant != g->claims[k].grant || c[k].give != g->claims[k].give)
				print_error("%s: claim %zu: grant %u, give %u\n", g->what, k, c[k].grant, c[k].give);
			assert_int_equal(c[k].grant, g->claims[k].grant);
			assert_int_equal(c[k].give, g->claims[k].give);
		}
	}
}

static uint32_t next_random(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % below;
}

static uint32_t base_of(const struct share_claim *c)
{
	uint32_t least = c->min > 0 ? c->min : 1;

	return c->wanted < least ? c->wanted : least;
}

struct sums {
	uint32_t granted, given, lacking;
	uint64_t bases;
};

static struct sums sums_of(const struct share_claim *c, size_t count)
{
	struct sums s = {0};

	for (size_t i = 0; i < count; i++) {
		s.granted += c[i].grant;
		s.given += c[i].give;
		s.bases += base_of(&c[i]);
		s.lacking += base_of(&c[i]) > c[i].have + c[i].grant ? base_of(&c[i]) - c[i].have - c[i].grant : 0;
	}
	return s;
}

static void what_always_holds(void **state)
{
	uint64_t seed = 19991231;

	(void)state;
	for (int turn = 0; turn < 100000; turn++) {
		struct share_claim c[MOST];
		size_t count = 1 + next_random(&seed, MOST);
		uint32_t alive = 0, leaving = next_random(&seed, 3), total, left;
		struct sums s;

		for (size_t i = 0; i < count; i++) {
			c[i] = (struct share_claim){.have = next_random(&seed, 12), .min = next_random(&seed, 4)};
			c[i].wanted = c[i].min + next_random(&seed, 12);
			alive += c[i].have;
		}
		alive += leaving;
		total = alive + next_random(&seed, 8) - next_random(&seed, alive + 1) / 4;
		left = total > alive ? total - alive : 0;
		share_out(c, count, total, alive, leaving);
		s = sums_of(c, count);
		assert_true(s.granted <= left);
		for (size_t i = 0; i < count; i++) {
			assert_true(c[i].grant == 0 || c[i].have + c[i].grant <= c[i].wanted);
			assert_true(c[i].grant == 0 || c[i].give == 0);
			assert_true(c[i].give <= c[i].have);
			/* Nobody is pressed below what it must come to, unless all those together are too many. */
			assert_true(c[i].give == 0 || s.bases > total || c[i].have - c[i].give >= base_of(&c[i]));
		}
		assert_true(s.given <= s.lacking);
		/* Nothing is left lying while somebody wants it. */
		if (s.granted < left)
			for (size_t i = 0; i < count; i++)
				assert_true(s.bases > total || c[i].have + c[i].grant >= c[i].wanted);
	}
}

/* From any start, turn by turn, with demand unchanged: it comes to rest, and then everybody has what is due. */
static void it_comes_to_rest(void **state)
{
	uint64_t seed = 4711;

	(void)state;
	for (int turn = 0; turn < 3000; turn++) {
		struct share_claim c[MOST];
		uint32_t total = 6 + next_random(&seed, 20), alive = 0;

		for (size_t i = 0; i < MOST; i++) {
			c[i] = (struct share_claim){.have = next_random(&seed, total - alive + 1), .min = next_random(&seed, 3)};
			c[i].wanted = c[i].min + next_random(&seed, 12);
			alive += c[i].have;
		}
		for (int step = 0; step < 60; step++) {
			bool moved = false;

			share_out(c, MOST, total, alive, 0);
			for (size_t i = 0; i < MOST; i++) {
				moved |= c[i].grant > 0 || c[i].give > 0;
				c[i].have += c[i].grant - c[i].give;
				alive += c[i].grant - c[i].give;
			}
			if (!moved)
				break;
			assert_true(step < 59);
		}
		assert_true(alive <= total);
		for (size_t i = 0; i < MOST; i++)
			assert_true(c[i].have >= base_of(&c[i]) || sums_of(c, MOST).bases > total);
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
