/* The first failure wins, with its text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "fcgipm/base/err.h"

static void test_first_failure_wins(void **state)
{
	struct fp_err err = {.code = 0};

	(void)state;
	assert_int_equal(fp_fail(&err, ENOENT, "cannot open %s: %m", "/x"), -ENOENT);
	assert_string_equal(err.text, "cannot open /x: No such file or directory");
	assert_int_equal(fp_fail(&err, EPERM, "later"), -EPERM);
	assert_int_equal(err.code, ENOENT);
	assert_string_equal(err.text, "cannot open /x: No such file or directory");
}

static void test_prefix(void **state)
{
	struct fp_err err = {.code = 0};

	(void)state;
	fp_fail(&err, EIO, "%s", "broken");
	assert_int_equal(fp_fail_prefix(&err, "pool %s: ", "blog"), -EIO);
	assert_int_equal(fp_fail_prefix(&err, "reload: "), -EIO);
	assert_string_equal(err.text, "reload: pool blog: broken");
}

static void test_long_texts_are_cut(void **state)
{
	struct fp_err err = {.code = 0};
	char text[2 * sizeof(err.text)];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fp_fail(&err, EIO, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	fp_fail_prefix(&err, "pool: ");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text, "pool: xxx", 9);
	fp_fail_prefix(&err, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void test_nobody_listens(void **state)
{
	(void)state;
	assert_int_equal(fp_fail(NULL, EINVAL, "%d", 1), -EINVAL);
	assert_int_equal(fp_fail_prefix(NULL, "%d", 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_failure_wins),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_long_texts_are_cut),
		cmocka_unit_test(test_nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
