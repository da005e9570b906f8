/* Descriptors: who closes them, seals, whole reads and writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "fcgipm/base/fd.h"

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int make_and_take(int *ret_kept)
{
	fp_autoclose int kept = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fp_autoclose int dropped = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(kept >= 0 && dropped >= 0);
	*ret_kept = FP_TAKE_FD(kept);
	assert_int_equal(kept, -1);
	return dropped;
}

static void test_autoclose(void **state)
{
	int kept, dropped = make_and_take(&kept);

	(void)state;
	assert_true(is_open(kept));
	assert_false(is_open(dropped));
	errno = EXDEV;
	fp_close(&kept);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(kept, -1);
	fp_close(&kept);
	assert_int_equal(errno, EXDEV);
}

static void test_autofree(void **state)
{
	char *text = strdup("x");

	(void)state;
	fp_free_ptr(&text);
	assert_null(text);
	fp_free_ptr(&text);
	{
		fp_autofree char *scoped = strdup("a leak, if it were not freed");

		assert_non_null(scoped);
	}
}

static void test_flags(void **state)
{
	int p[2], bad = 1 << 20;

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(fp_set_cloexec(p[0], true), 0);
	assert_int_equal(fcntl(p[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fp_set_cloexec(p[0], false), 0);
	assert_int_equal(fcntl(p[0], F_GETFD), 0);
	assert_int_equal(fp_set_nonblock(p[1], true), 0);
	assert_int_equal(fcntl(p[1], F_GETFL), O_WRONLY | O_NONBLOCK);
	assert_int_equal(fp_set_nonblock(p[1], false), 0);
	assert_int_equal(fcntl(p[1], F_GETFL), O_WRONLY);
	assert_int_equal(fp_set_cloexec(bad, true), -EBADF);
	assert_int_equal(fp_set_nonblock(bad, true), -EBADF);
	fp_close(&p[0]);
	fp_close(&p[1]);
}

static void test_close_from(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		int low = dup2(2, 20), high = dup2(2, 21), far = dup2(2, 200);

		_exit(low == 20 && high == 21 && far == 200 && fp_close_from(21) == 0 && is_open(20) && !is_open(21) && !is_open(200) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A child writes abcdefgh into the pipe in two parts, so that the reader needs more than one read; p[1] is closed here. */
static pid_t write_in_two(int p[2])
{
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		bool good = fp_write_full(p[1], "abc", 3) == 0 && usleep(20000) == 0 && fp_write_full(p[1], "defgh", 5) == 0;

		_exit(good ? 0 : 1);
	}
	fp_close(&p[1]);
	return pid;
}

static void test_whole_reads(void **state)
{
	char buf[8] = "";
	int p[2], status;
	pid_t pid;

	(void)state;
	pid = write_in_two(p);
	assert_int_equal(fp_read_full(p[0], buf, 6), 0);
	assert_memory_equal(buf, "abcdef", 6);
	assert_int_equal(fp_read_full(p[0], buf, 3), -EPIPE);
	assert_int_equal(fp_read_full(p[0], buf, 0), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fp_close(&p[0]);
	assert_int_equal(fp_read_full(p[0], buf, 1), -EBADF);
	assert_int_equal(fp_write_full(p[0], buf, 1), -EBADF);
}

static void test_reads_to_the_end(void **state)
{
	char buf[8] = "";
	int p[2], status;
	pid_t pid;

	(void)state;
	pid = write_in_two(p);
	assert_int_equal(fp_read_to_end(p[0], buf, 5), 5);
	assert_memory_equal(buf, "abcde", 5);
	assert_int_equal(fp_read_to_end(p[0], buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "fgh", 3);
	assert_int_equal(fp_read_to_end(p[0], buf, sizeof(buf)), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fp_close(&p[0]);
	assert_int_equal(fp_read_to_end(p[0], buf, 1), -EBADF);
}

static void test_sealed_memfd(void **state)
{
	const void *at = NULL;
	size_t len = 0;
	int fd = -1;

	(void)state;
	assert_int_equal(fp_memfd_sealed("test", "hello", 5, &fd), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(pwrite(fd, "x", 1, 0) < 0 && errno == EPERM);
	assert_true(ftruncate(fd, 0) < 0 && errno == EPERM);
	assert_true(ftruncate(fd, 10) < 0 && errno == EPERM);
	assert_int_equal(fp_memfd_map(fd, 4, &at, &len), -EFBIG);
	assert_null(at);
	assert_int_equal(fp_memfd_map(fd, 5, &at, &len), 0);
	assert_int_equal(len, 5);
	assert_memory_equal(at, "hello", 5);
	munmap((void *)(uintptr_t)at, len);
	fp_close(&fd);
}

static void test_empty_memfd(void **state)
{
	const void *at = "";
	size_t len = 1;
	int fd = -1;

	(void)state;
	assert_int_equal(fp_memfd_sealed("test", NULL, 0, &fd), 0);
	assert_int_equal(fp_memfd_map(fd, 0, &at, &len), 0);
	assert_null(at);
	assert_int_equal(len, 0);
	fp_close(&fd);
}

/* Each seal matters: without one of them the owner could change what was judged, or cut it under the reader's hands. */
static void test_unsealed_is_refused(void **state)
{
	static const int all = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	static const int one[] = {F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE};
	const void *at = NULL;
	size_t len = 0;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), bad = -1;

	(void)state;
	for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++) {
		int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

		assert_int_equal(fp_write_full(fd, "hello", 5), 0);
		assert_int_equal(fcntl(fd, F_ADD_SEALS, all & ~one[i]), 0);
		assert_int_equal(fp_memfd_map(fd, 5, &at, &len), -EPERM);
		fp_close(&fd);
	}
	assert_int_equal(fp_memfd_map(null, 5, &at, &len), -EPERM);
	assert_int_equal(fp_memfd_map(bad, 5, &at, &len), -EPERM);
	assert_null(at);
	fp_close(&null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_autoclose),    cmocka_unit_test(test_autofree),    cmocka_unit_test(test_flags),
		cmocka_unit_test(test_close_from),   cmocka_unit_test(test_whole_reads), cmocka_unit_test(test_reads_to_the_end),
		cmocka_unit_test(test_sealed_memfd), cmocka_unit_test(test_empty_memfd), cmocka_unit_test(test_unsealed_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
