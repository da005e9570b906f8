/* A manager that hangs: it is waited for once, and who asks in the moment after that is told so at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/status/source.h"

static struct sockaddr_un sun = {.sun_family = AF_UNIX};

static int listens(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static bool was_asked(int fd)
{
	int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	if (peer >= 0)
		close(peer);
	return peer >= 0;
}

static void test_a_manager_that_hangs_is_waited_for_once(void **state)
{
	struct source src = {.path = sun.sun_path};
	struct fp_err err = {.code = 0};
	int64_t begun = fp_now_ms();
	int fd = listens();

	(void)state;
	assert_int_equal(source_read(&src, &err), -ETIMEDOUT);
	assert_true(was_asked(fd));
	assert_true(src.hangs_until_ms > begun + 5000);

	src.hangs_until_ms = fp_now_ms() + 3600000; /* however slow this machine is */
	err = (struct fp_err){.code = 0};
	assert_int_equal(source_read(&src, &err), -ETIMEDOUT);
	assert_string_equal(err.text, "the manager did not answer in time");
	assert_false(was_asked(fd));

	src.hangs_until_ms = fp_now_ms() - 1; /* that moment is over; whoever asks again is told what is now */
	close(fd);
	assert_int_equal(source_read(&src, &err), -ECONNREFUSED);
	source_end(&src);
	unlink(sun.sun_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_manager_that_hangs_is_waited_for_once)};
	char dir[] = "/tmp/fcgipm-source.XXXXXX";
	int failed;

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/control.sock", dir);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
