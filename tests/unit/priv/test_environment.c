#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgipm/priv/environment.h"

static struct priv_environment e;
static const char *const given[] = {"PATH=/bin", "MODE=old", NULL};

static const struct {
	const char *text;
	size_t len; /* 0: that of the text */
	int code;
	unsigned line;
	const char *is[5]; /* behind PATH */
} cases[] = {
	{"", 0, 0, 0, {"MODE=old"}},
	{"A=1\nB=2\n", 0, 0, 0, {"MODE=old", "A=1", "B=2"}},
	{"A=1", 0, 0, 0, {"MODE=old", "A=1"}},
	{"MODE=new\n", 0, 0, 0, {"MODE=new"}},
	{"A=1\nA=2\n", 0, 0, 0, {"MODE=old", "A=2"}},
	{"# said\n\n\r\nA=x=y z\r\n", 0, 0, 0, {"MODE=old", "A=x=y z"}},
	{"A=\"b c\"\nB='d'\nC=\"e'\nD=\"\n", 0, 0, 0, {"MODE=old", "A=b c", "B=d", "C=\"e'", "D=\""}},
	{"A=\n_b9=$A\n", 0, 0, 0, {"MODE=old", "A=", "_b9=$A"}},
	{"A=1\nexport B=2\n", 0, -EINVAL, 2, {NULL}},
	{"=1\n", 0, -EINVAL, 1, {NULL}},
	{"9A=1\n", 0, -EINVAL, 1, {NULL}},
	{"A\n", 0, -EINVAL, 1, {NULL}},
	{" A=1\n", 0, -EINVAL, 1, {NULL}},
	{"A=1\n\nB=\0x\n", 9, -EINVAL, 3, {NULL}},
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = cases[i].len > 0 ? cases[i].len : strlen(cases[i].text);
		unsigned line = 99, n = 1;

		assert_int_equal(priv_environment_begin(&e, given), 0);
		memcpy(e.text, cases[i].text, len);
		assert_int_equal(priv_environment_parse(&e, len, &line), cases[i].code);
		assert_int_equal(line, cases[i].line);
		if (cases[i].code < 0)
			continue;
		assert_string_equal(e.envp[0], "PATH=/bin");
		for (; n <= 5 && cases[i].is[n - 1] != NULL; n++)
			assert_string_equal(e.envp[n], cases[i].is[n - 1]);
		assert_int_equal(e.count, n);
		assert_null(e.envp[n]);
	}
}

static void test_too_many_names(void **state)
{
	size_t len = 0;
	unsigned line;

	(void)state;
	assert_int_equal(priv_environment_begin(&e, (const char *const[]){NULL}), 0);
	for (unsigned i = 0; i <= PRIV_ENVIRONMENT_NAMES; i++)
		len += (size_t)sprintf(e.text + len, "V%x=\n", i);
	assert_int_equal(priv_environment_parse(&e, len, &line), -E2BIG);
	assert_int_equal(line, PRIV_ENVIRONMENT_NAMES + 1);
}

/* What a path may lead to. */
static void test_files(void **state)
{
	char dir[] = "/tmp/fcgipm-unit.XXXXXX", path[64];
	unsigned line;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/env", dir);
	assert_int_equal(priv_environment_begin(&e, given), 0);
	assert_int_equal(priv_environment_read(&e, path, &line), -ENOENT);
	assert_int_equal(priv_environment_read(&e, dir, &line), -EISDIR);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(priv_environment_read(&e, path, &line), -EINVAL);
	assert_int_equal(line, 0);
	unlink(path);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "A=1\n", 4), 4);
	assert_int_equal(priv_environment_read(&e, path, &line), 0);
	assert_string_equal(e.envp[2], "A=1");
	assert_int_equal(ftruncate(fd, PRIV_ENVIRONMENT_BYTES + 1), 0);
	assert_int_equal(priv_environment_read(&e, path, &line), -EFBIG);
	close(fd);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_too_many_names),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
