/* Which control socket a command asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgipm/cli/where.h"
#include "include/fcgipm/protocol.h"

static char buf[256], asked[256];

static int finds(const char *config, char *to, size_t cap)
{
	snprintf(asked, sizeof(asked), "%s", config);
	snprintf(to, cap, "/found/control.sock");
	return 0;
}

static int finds_nothing(const char *config, char *to, size_t cap)
{
	snprintf(asked, sizeof(asked), "%s", config);
	snprintf(to, cap, "rubbish");
	return -EPROTO;
}

static const char *where(const char *socket, const char *config, const char *runtime, int (*find)(const char *, char *, size_t))
{
	const struct where w = {.socket = socket, .config = config, .runtime = runtime, .find = find};

	asked[0] = '\0';
	return where_control(&w, buf, sizeof(buf));
}

static void test_socket_decides(void **state)
{
	(void)state;
	assert_string_equal(where("/my.sock", "/etc/hostname", "/run/user/1", finds), "/my.sock");
	assert_string_equal(asked, "");
}

static void test_configuration(void **state)
{
	(void)state;
	assert_string_equal(where(NULL, "/etc/passwd", NULL, finds), "/found/control.sock");
	assert_string_equal(asked, "/etc/passwd");
	assert_string_equal(where(NULL, "/etc/passwd", NULL, finds_nothing), FCGIPM_CONTROL_SOCKET);
	assert_string_equal(asked, "/etc/passwd");
	assert_string_equal(where(NULL, "/nonexistent", NULL, finds), FCGIPM_CONTROL_SOCKET);
}

static void test_own_manager(void **state)
{
	char dir[] = "/tmp/fcgipm-test-XXXXXX", sub[64], path[96];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(sub, sizeof(sub), "%s/fcgipm", dir);
	snprintf(path, sizeof(path), "%s/control.sock", sub);
	assert_int_equal(mkdir(sub, 0700), 0);
	assert_string_equal(where(NULL, NULL, dir, finds_nothing), FCGIPM_CONTROL_SOCKET);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_string_equal(where(NULL, NULL, dir, finds), path);
	/* A file that is named goes before. */
	assert_string_equal(where(NULL, "/etc/passwd", dir, finds), "/found/control.sock");
	unlink(path);
	rmdir(sub);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_socket_decides),
		cmocka_unit_test(test_configuration),
		cmocka_unit_test(test_own_manager),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
