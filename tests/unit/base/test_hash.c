/* Hashes that outlive a process, and a clock that never goes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <time.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/hash.h"

static void test_known_values(void **state)
{
	(void)state;
	/* draft-eastlake-fnv, 64-bit FNV-1a */
	assert_true(fp_hash(FP_HASH_INIT, "", 0) == 0xcbf29ce484222325u);
	assert_true(fp_hash(FP_HASH_INIT, "a", 1) == 0xaf63dc4c8601ec8cu);
	assert_true(fp_hash(FP_HASH_INIT, "foobar", 6) == 0x85944171f73967e8u);
}

static void test_texts_do_not_run_together(void **state)
{
	uint64_t one = fp_hash_str(fp_hash_str(FP_HASH_INIT, "ab"), "c");
	uint64_t other = fp_hash_str(fp_hash_str(FP_HASH_INIT, "a"), "bc");

	(void)state;
	assert_true(one != other);
	assert_true(fp_hash_str(FP_HASH_INIT, "ab") == fp_hash(FP_HASH_INIT, "ab", 3));
	assert_true(fp_hash(fp_hash(FP_HASH_INIT, "foo", 3), "bar", 3) == fp_hash(FP_HASH_INIT, "foobar", 6));
}

static void test_clock(void **state)
{
	int64_t us = fp_now_us(), ms;
	struct timespec t;

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &t);
	ms = fp_now_ms();
	assert_true(us <= (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000);
	assert_true(ms >= us / 1000);
	assert_true(ms - us / 1000 < 60000); /* both count from the same start */
	assert_true(fp_now_us() >= us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_values),
		cmocka_unit_test(test_texts_do_not_run_together),
		cmocka_unit_test(test_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
