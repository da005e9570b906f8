/* Each floor by its name: one field of a good spec changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "tests/unit/spec/good.h"

static const char *relative_argv[] = {"php-cgi", NULL};
static const char *no_argv[] = {NULL};

#define BIT(cap) (UINT64_C(1) << (cap))
#define X10      "xxxxxxxxxx"
#define X90      X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X100     X90 X10

static const struct spec_floors system_floors = {
	.manager_uid = 990,
	.manager_gid = 980,
	.conf_uid = 991,
	.conf_gid = 981,
	.ordinary_uid = UINT32_MAX,
	.runtime_directory = "/run/fcgipm",
};

struct fall {
	const char *floor; /* NULL: none is in the way */
	struct spec_pool pool;
};

/* clang-format off */
static const struct fall ids[] = {
	{NULL, GOOD_POOL()},
	{"uid 0", GOOD_POOL(.uid = 0)},
	{"gid 0", GOOD_POOL(.gid = 0)},
	{"id -1", GOOD_POOL(.uid = UINT32_MAX)},
	{"id -1", GOOD_POOL(.gid = UINT32_MAX)},
	{"socket owner -1", GOOD_POOL(.socket_uid = UINT32_MAX)},
	{"socket owner -1", GOOD_POOL(.socket_gid = UINT32_MAX)},
	{NULL, GOOD_POOL(.socket_uid = 0, .socket_gid = 0)},
	{"supplementary group 0", GOOD_POOL(.groups = {0, 33})},
	{"supplementary group 0", GOOD_POOL(.groups = {33, 0})},
	{NULL, GOOD_POOL(.group_count = 1, .groups = {33, 0})}, /* not one of the groups */
	{NULL, GOOD_POOL(.group_count = 0)},
	{"supplementary group -1", GOOD_POOL(.groups = {33, UINT32_MAX})},
	{"fcgipm's own account", GOOD_POOL(.uid = 990)},
	{"fcgipm's own account", GOOD_POOL(.uid = 991)},
	{NULL, GOOD_POOL(.uid = 980)}, /* the number of its group */
	{"fcgipm's own group", GOOD_POOL(.gid = 980)},
	{"fcgipm's own group", GOOD_POOL(.gid = 981)},
	{"fcgipm's own group", GOOD_POOL(.groups = {980, 33})},
	{"fcgipm's own group", GOOD_POOL(.groups = {33, 981})},
	{NULL, GOOD_POOL(.socket_uid = 990, .socket_gid = 980)},
};

static const struct fall process[] = {
	{"executable is not absolute", GOOD_POOL(.argv = relative_argv)},
	{"executable is not absolute", GOOD_POOL(.argv = no_argv)},
	{NULL, GOOD_POOL(.chroot = "")},
	{NULL, GOOD_POOL(.chroot = "/")},
	{NULL, GOOD_POOL(.environment_file = "")},
	{"environment_file is no absolute path", GOOD_POOL(.environment_file = "env")},
	{"environment_file is no absolute path", GOOD_POOL(.environment_file = "/srv/../env")},
	{"chroot is no absolute path", GOOD_POOL(.chroot = "srv")},
	{"chroot is no absolute path", GOOD_POOL(.chroot = "/srv/../etc")},
	{"chroot is no absolute path", GOOD_POOL(.chroot = "/srv/")},
	{NULL, GOOD_POOL(.directory = "/")},
	{"directory is no absolute path", GOOD_POOL(.directory = "")},
	{"directory is no absolute path", GOOD_POOL(.directory = "www")},
	{"directory is no absolute path", GOOD_POOL(.directory = "/www/.")},
	{NULL, GOOD_POOL(.capabilities = 0)},
	{NULL, GOOD_POOL(.capabilities = BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_NICE))},
	{"a capability that amounts to root", GOOD_POOL(.capabilities = BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SETUID))},
	{"a capability that amounts to root", GOOD_POOL(.capabilities = BIT(CAP_CHOWN))},
	{"a capability that amounts to root", GOOD_POOL(.capabilities = BIT(CAP_DAC_READ_SEARCH))},
	{"a capability that amounts to root", GOOD_POOL(.capabilities = BIT(CAP_SYS_ADMIN))},
	{"a capability that amounts to root", GOOD_POOL(.capabilities = BIT(CAP_SYS_PTRACE))},
	{"a capability that amounts to root", GOOD_POOL(.capabilities = BIT(63))},
	{"output is no absolute path", GOOD_POOL(.output_path = "/")},
	{"output is no absolute path", GOOD_POOL(.output_path = "")},
	{"output is no absolute path", GOOD_POOL(.output_path = "blog.log")},
	{"output is no absolute path", GOOD_POOL(.output_path = "/var/log/../../etc/passwd")},
	{NULL, GOOD_POOL(.output = SPEC_OUTPUT_LOG, .output_path = "")},
	{NULL, GOOD_POOL(.output = SPEC_OUTPUT_NULL, .output_path = "")},
};

static const struct fall listeners[] = {
	{"address is no absolute path", GOOD_POOL(.address = "/")},
	{"address is no absolute path", GOOD_POOL(.address = "")},
	{"address is no absolute path", GOOD_POOL(.address = "blog.sock")},
	{"address is no absolute path", GOOD_POOL(.address = "/srv/../run/x")},
	{"address is no absolute path", GOOD_POOL(.address = "127.0.0.1:9000")},
	{NULL, GOOD_POOL(.address = "/run/a" "/" X100)}, /* 107 bytes fit a socket's address */
	{"address is no absolute path", GOOD_POOL(.address = "/run/ab" "/" X100)},
	{NULL, GOOD_POOL(.address = "/srv/alice/php.sock")},
	{NULL, GOOD_POOL(.address = "/run/fcgipm/pools/any.name")},
	{NULL, GOOD_POOL(.address = "/run/fcgipmx")},
	{"address among fcgipm's own files", GOOD_POOL(.address = "/run/fcgipm")},
	{"address among fcgipm's own files", GOOD_POOL(.address = "/run/fcgipm/control.sock")},
	{"address among fcgipm's own files", GOOD_POOL(.address = "/run/fcgipm/pools")},
	{"address among fcgipm's own files", GOOD_POOL(.address = "/run/fcgipm/poolsx/a")},
	{"address among fcgipm's own files", GOOD_POOL(.address = "/run/fcgipm/pools/a/b")},
	{"address among fcgipm's own files", GOOD_POOL(.address = "/run/fcgipm/private/blog.sock")}, /* and not private */
	{NULL, GOOD_POOL(.private_socket = true, .address = "/run/fcgipm/private/blog.sock")},
	{"private socket outside its place", GOOD_POOL(.private_socket = true)},
	{"private socket outside its place", GOOD_POOL(.private_socket = true, .address = "/run/fcgipm/private/shop.sock")},
	{"private socket outside its place", GOOD_POOL(.private_socket = true, .address = "/srv/alice/php.sock")},
	{NULL, GOOD_POOL(.listen = SPEC_LISTEN_TCP, .address = "127.0.0.1:9000")},
	{NULL, GOOD_POOL(.listen = SPEC_LISTEN_TCP, .address = "[::1]:9000")},
	{"address is no host:port", GOOD_POOL(.listen = SPEC_LISTEN_TCP, .address = "localhost:9000")},
	{"address is no host:port", GOOD_POOL(.listen = SPEC_LISTEN_TCP)},
	{"private socket outside its place", GOOD_POOL(.listen = SPEC_LISTEN_TCP, .private_socket = true, .address = "127.0.0.1:9000")},
};

/* What may be of an ordinary user, started by one whose uid is 1000. */
static const struct fall ordinary[] = {
	{NULL, GOOD_POOL()},
	{"another account than the ordinary user's", GOOD_POOL(.uid = 1001)},
	{"another account than the ordinary user's", GOOD_POOL(.uid = 0)},
	{"another account than the ordinary user's", GOOD_POOL(.uid = UINT32_MAX)},
	{"directory is no absolute path", GOOD_POOL(.directory = "www")},
	{"a capability that amounts to root", GOOD_POOL(.capabilities = BIT(CAP_SETUID))},
	{"address among fcgipm's own files", GOOD_POOL(.address = "/run/fcgipm/control.sock")},
};
/* clang-format on */

static void check(const struct fall *falls, size_t count, const struct spec_floors *floors)
{
	for (size_t i = 0; i < count; i++) {
		struct fp_err err = {.text = "none"};
		int r = spec_check_floors(&falls[i].pool, floors, &err);
		const char *want = falls[i].floor != NULL ? falls[i].floor : "none";

		if (strcmp(err.text, want) != 0)
			print_message("row %zu: %s\n", i, want);
		assert_string_equal(err.text, want);
		assert_int_equal(r, falls[i].floor != NULL ? -EPERM : 0);
		assert_int_equal(spec_check_floors(&falls[i].pool, floors, NULL), r);
	}
}

#define CHECK(falls, floors) check(falls, sizeof(falls) / sizeof((falls)[0]), floors)

static void test_ids(void **state)
{
	(void)state;
	CHECK(ids, &system_floors);
}

static void test_process(void **state)
{
	(void)state;
	CHECK(process, &system_floors);
}

static void test_listeners(void **state)
{
	(void)state;
	CHECK(listeners, &system_floors);
}

static void test_ordinary(void **state)
{
	struct spec_floors floors = system_floors;

	(void)state;
	/* Manager and conf run as the user himself then, and so must the pools. */
	floors.ordinary_uid = floors.manager_uid = floors.conf_uid = 1000;
	floors.manager_gid = floors.conf_gid = 1001;
	CHECK(ordinary, &floors);
}

/* A private socket's place that would not fit is no place: what is left of it must not count as one. */
static void test_private_place_too_long(void **state)
{
	const struct spec_pool p = GOOD_POOL(.private_socket = true, .address = "/" X90 "/private/blog.so");
	struct spec_floors floors = system_floors;

	(void)state;
	floors.runtime_directory = "/" X90;
	assert_int_equal(strlen(p.address), SPEC_UNIX_PATH_MAX);
	assert_int_equal(spec_check_floors(&p, &floors, NULL), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_ordinary),
		cmocka_unit_test(test_private_place_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
