/* Who may: by uid, by primary and by supplementary group; and the waits, which are pure. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fcgipm/manager/acl.h"
#include "fcgipm/manager/boot.h"
#include "fcgipm/manager/retire.h"

static void names(void **state)
{
	uint32_t uids[] = {1000, 33}, gids[] = {4, 20};
	struct settings_acl acl = {.uids = {2, uids}, .gids = {2, gids}};
	struct settings_acl none = {0};
	struct probe_peer p = {.uid = 33, .gid = 33};

	(void)state;
	assert_true(acl_names(&acl, &p));
	assert_false(acl_names(&none, &p));
	p = (struct probe_peer){.uid = 4, .gid = 1000}; /* a gid is no uid */
	assert_false(acl_names(&acl, &p));
	p.gid = 20;
	assert_true(acl_names(&acl, &p));
	p = (struct probe_peer){.uid = 1, .gid = 1, .count = 3, .groups = {7, 8, 4}};
	assert_true(acl_names(&acl, &p));
	p.count = 2; /* what lies behind the count is not a group */
	assert_false(acl_names(&acl, &p));
}

static void peer(void **state)
{
	int pair[2];
	struct probe_peer p;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	if (geteuid() == 65534) {
		assert_int_equal(probe_peer(pair[0], &p), -EPERM);
	} else {
		assert_int_equal(probe_peer(pair[0], &p), 0);
		assert_int_equal(p.uid, geteuid());
		assert_int_equal(p.pid, getpid());
		assert_int_equal(p.count, getgroups(0, NULL));
	}
	close(pair[0]);
	close(pair[1]);
	assert_true(probe_peer(-1, &p) < 0);
}

static void waits(void **state)
{
	(void)state;
	assert_int_equal(retire_wait_ms(0, 0), 1);
	assert_int_equal(retire_wait_ms(1, 1), 2);
	assert_int_equal(retire_wait_ms(2, 3), 4);
	assert_int_equal(retire_wait_ms(3, 7), 5);
	assert_int_equal(retire_wait_ms(100, 1000), 5);
	assert_int_equal(retire_wait_ms(1000, 4000), 20);
	assert_int_equal(retire_wait_ms(100000, 3600000), 50);
	assert_int_equal(boot_wait_ms(0, 0), 1);
	assert_int_equal(boot_wait_ms(2, 3), 4);
	assert_int_equal(boot_wait_ms(50, 999), 8);
	assert_int_equal(boot_wait_ms(500, 60000), 64);
	for (unsigned i = 0; i < 1000; i++)
		assert_in_range(boot_wait_ms(i, (int64_t)i * 100), 1, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(peer),
		cmocka_unit_test(waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
