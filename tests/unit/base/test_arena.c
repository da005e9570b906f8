/* Memory that is freed at once: zeroed, aligned, apart, of any length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <stdalign.h>
#include <string.h>

#include "fcgipm/base/arena.h"

static void test_memory(void **state)
{
	static const size_t lengths[] = {1, 3, 16, 17, 0, 4000, 1 << 18, (1 << 18) - 1, (1 << 20) + 5, 7};
	enum { COUNT = sizeof(lengths) / sizeof(lengths[0]), TURNS = 20 };
	struct fp_arena a = {0};
	unsigned char *at[TURNS][COUNT];

	(void)state;
	for (unsigned turn = 0; turn < TURNS; turn++)
		for (unsigned i = 0; i < COUNT; i++) {
			unsigned char *p = at[turn][i] = fp_arena_alloc(&a, lengths[i]);

			assert_non_null(p);
			assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
			for (size_t k = 0; k < lengths[i]; k++)
				assert_int_equal(p[k], 0);
			memset(p, (int)(1 + turn * COUNT + i) % 251, lengths[i]);
		}
	for (unsigned turn = 0; turn < TURNS; turn++)
		for (unsigned i = 0; i < COUNT; i++)
			for (size_t k = 0; k < lengths[i]; k++)
				assert_int_equal(at[turn][i][k], (1 + turn * COUNT + i) % 251);
	fp_arena_fini(&a);
	fp_arena_fini(&a);
}

static void test_texts(void **state)
{
	struct fp_arena a = {0};
	const char *copy = fp_arena_copy(&a, "abcdef", 3), *printed = fp_arena_printf(&a, "%s:%d", copy, 7), *none = fp_arena_printf(&a, "%s", "");

	(void)state;
	assert_string_equal(copy, "abc");
	assert_string_equal(printed, "abc:7");
	assert_string_equal(none, "");
	fp_arena_fini(&a);
}

static void test_no_memory(void **state)
{
	struct fp_arena a = {0};

	(void)state;
	assert_null(fp_arena_alloc(&a, SIZE_MAX / 2 + 1));
	assert_non_null(fp_arena_alloc(&a, 8));
	fp_arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
