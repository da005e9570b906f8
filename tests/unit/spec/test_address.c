/* Names, paths, addresses and capabilities: what each may look like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/spec/spec.h"

#define X10 "xxxxxxxxxx"
#define X60 X10 X10 X10 X10 X10 X10

struct form {
	const char *text;
	bool ok;
};

static const struct form names[] = {
	{"a", true},
	{"0", true},
	{"blog", true},
	{"a.b_c-d9", true},
	{"a--", true},
	{X60 "xxx", true},
	{X60 "xxxx", false},
	{"", false},
	{".a", false},
	{"-a", false},
	{"_a", false},
	{"Blog", false},
	{"bLog", false},
	{"a b", false},
	{"a/b", false},
	{"a\n", false},
	{"\xc3\xa9", false},
	{"a\xc3\xa9", false},
	{"a@b", true},
	{X60 "xxx@" X60 "xx", true}, /* SPEC_NAME_MAX */
	{X60 "xxx@" X60 "xxx", false},
	{"a@", false},
	{"@a", false},
	{"a@.", false},
	{"a@B", false},
	{"a@b@c", false},
	{"a@b ", false},
};

static const struct form paths[] = {
	{"/", true},     {"/a", true},          {"/srv/www/a b/\xc3\xa9", true},
	{"/...", true},  {"/.a/..b/a..", true}, {"", false},
	{"a", false},    {"./a", false},        {"//", false},
	{"//a", false},  {"/a/", false},        {"/a//b", false},
	{"/.", false},   {"/..", false},        {"/./a", false},
	{"/a/.", false}, {"/a/..", false},      {"/a/../b", false},
	{"/a\n", false}, {"/a\x1f/b", false},   {"/a/\x7f", false},
};

static const struct form log_paths[] = {
	{"/var/log/a", true},     {"/var/log/a/b", true}, {"/var/log", false},       {"/var/log/", false}, {"/var/logs/a", false},
	{"/var/log/../a", false}, {"var/log/a", false},   {"/srv/var/log/a", false}, {"/a", false},
};

static const struct form profile_names[] = {
	{"cgi", true}, {"a.b_c-d9", true}, {"locals", true}, {"local", false}, {"a@b", false}, {"", false}, {"CGI", false}, {X60 "xxxx", false},
};

/* What fnmatch(3) would take for something else than it looks like is none. */
static const struct form roots[] = {
	{"/srv", true},
	{"/srv/a b", true},
	{"/home/*/public_html/cgi-bin", true},
	{"/*", true},
	{"/home/?a*/x", true},
	{"/srv/[abc]x/[!a-c]", true},
	{"/srv/[]]", true},
	{"/srv/[!]]", true},
	{"/srv/[^]a]", true},
	{"/srv/[[]", true},
	{"/srv/[[:alpha:]x]y", true},
	{"/srv/[[.-.]]", true},
	{"/srv/[[=a=]]/x", true},
	{"/srv/a]", true},
	{"/srv/[", false},
	{"/srv/[a", false},
	{"/srv/[]", false},
	{"/srv/[!]", false},
	{"/srv/[[:alpha:]", false},
	{"/srv/[[:alpha]", false},
	{"/srv/[a/b]", false},
	{"/srv/[!/]", false},
	{"/srv/[[:al/pha:]]", false},
	{"/srv/[a]/[b", false},
	{"/srv/a\\*", false},
	{"/srv/[\\]]", false},
	{"/", false},
	{"", false},
	{"srv", false},
	{"*", false},
	{"/srv/", false},
	{"/srv//a", false},
	{"/srv/../a", false},
	{"/srv/\n", false},
};

static void check(const struct form *forms, size_t count, bool (*is_ok)(const char *text))
{
	for (size_t i = 0; i < count; i++) {
		if (is_ok(forms[i].text) != forms[i].ok)
			print_message("%s\n", forms[i].text);
		assert_int_equal(is_ok(forms[i].text), forms[i].ok);
	}
}

#define CHECK(forms, is_ok) check(forms, sizeof(forms) / sizeof((forms)[0]), is_ok)

static void test_names(void **state)
{
	(void)state;
	CHECK(names, spec_name_ok);
	CHECK(profile_names, spec_profile_name_ok);
}

static void test_paths(void **state)
{
	(void)state;
	CHECK(paths, spec_path_ok);
	CHECK(log_paths, spec_log_path_ok);
}

/* A path of so many bytes, of parts as long as asked for; on the heap. */
static char *path_of(size_t len, size_t part)
{
	char *path = malloc(len + 1);

	assert_non_null(path);
	memset(path, 'x', len);
	for (size_t i = 0; i < len; i += part + 1)
		path[i] = '/';
	path[len] = '\0';
	return path;
}

static void test_roots(void **state)
{
	(void)state;
	CHECK(roots, spec_root_ok);
}

static void test_longest_paths(void **state)
{
	static const struct {
		size_t len, part;
		bool ok;
	} longest[] = {
		{256, 255, true}, /* NAME_MAX of one part */
		{257, 256, false}, {SPEC_PATH_MAX, 200, true}, {SPEC_PATH_MAX + 1, 200, false}, {1 << 20, 200, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(longest) / sizeof(longest[0]); i++) {
		char *path = path_of(longest[i].len, longest[i].part);

		assert_int_equal(spec_path_ok(path), longest[i].ok);
		free(path);
	}
}

static const struct {
	const char *text, *host; /* host NULL: no address */
	int family;
	uint16_t port;
} addresses[] = {
	{"127.0.0.1:9000", "127.0.0.1", AF_INET, 9000},
	{"0.0.0.0:1", "0.0.0.0", AF_INET, 1},
	{"255.255.255.255:65535", "255.255.255.255", AF_INET, 65535},
	{"[::1]:9000", "::1", AF_INET6, 9000},
	{"[::]:80", "::", AF_INET6, 80},
	{"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:80", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AF_INET6, 80},
	{"", NULL, 0, 0},
	{":", NULL, 0, 0},
	{":9000", NULL, 0, 0},
	{"9000", NULL, 0, 0},
	{"127.0.0.1", NULL, 0, 0},
	{"127.0.0.1:", NULL, 0, 0},
	{"127.0.0.1:0", NULL, 0, 0},
	{"127.0.0.1:65536", NULL, 0, 0},
	{"127.0.0.1:18446744073709551617", NULL, 0, 0}, /* 1, with an overflow */
	{"127.0.0.1:-1", NULL, 0, 0},
	{"127.0.0.1:+1", NULL, 0, 0},
	{"127.0.0.1:http", NULL, 0, 0},
	{"127.0.0.1:80 ", NULL, 0, 0},
	{" 127.0.0.1:80", NULL, 0, 0},
	{"127.0.0:80", NULL, 0, 0},
	{"127.0.0.256:80", NULL, 0, 0},
	{"localhost:80", NULL, 0, 0},
	{"*:80", NULL, 0, 0},
	{"::1:9000", NULL, 0, 0}, /* an IPv6 host stands in brackets */
	{"[::1]9000", NULL, 0, 0},
	{"[::1:9000", NULL, 0, 0},
	{"::1]:9000", NULL, 0, 0},
	{"[]:9000", NULL, 0, 0},
	{"[:9000", NULL, 0, 0},
	{"]:9000", NULL, 0, 0},
	{"[127.0.0.1]:9000", NULL, 0, 0},
	{"[fe80::1%eth0]:9000", NULL, 0, 0},
	{"[0000:0000:0000:0000:0000:0000:0000:0000:0000]:80", NULL, 0, 0},
	{X60 X60 ":80", NULL, 0, 0},
	{"/run/a:80", NULL, 0, 0},
};

static void test_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct spec_tcp tcp = {.family = -7, .port = 7};
		int r = spec_tcp_parse(addresses[i].text, &tcp);
		char host[INET6_ADDRSTRLEN] = "";

		if (r != (addresses[i].host != NULL ? 0 : -EINVAL))
			print_message("%s\n", addresses[i].text);
		assert_int_equal(r, addresses[i].host != NULL ? 0 : -EINVAL);
		if (r < 0) {
			assert_true(tcp.family == -7 && tcp.port == 7); /* untouched */
			continue;
		}
		assert_int_equal(tcp.family, addresses[i].family);
		assert_int_equal(tcp.port, addresses[i].port);
		assert_non_null(inet_ntop(tcp.family, tcp.host, host, sizeof(host)));
		assert_string_equal(host, addresses[i].host);
	}
}

/* Whoever has one of these can come to be root, or to another account, or to any file or process. */
static void test_capabilities_that_amount_to_root(void **state)
{
	static const int never[] = {CAP_CHOWN,      CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER,     CAP_FSETID,        CAP_KILL,
				    CAP_SETGID,     CAP_SETUID,       CAP_SETPCAP,         CAP_SYS_MODULE, CAP_SYS_RAWIO,     CAP_SYS_CHROOT,
				    CAP_SYS_PTRACE, CAP_SYS_ADMIN,    CAP_SYS_BOOT,        CAP_MKNOD,      CAP_SETFCAP,       CAP_MAC_OVERRIDE,
				    CAP_MAC_ADMIN,  CAP_SYSLOG,       CAP_PERFMON,         CAP_BPF,        CAP_AUDIT_CONTROL, CAP_CHECKPOINT_RESTORE};

	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_true((spec_capabilities_allowed >> never[i] & 1) == 0);
	assert_true((spec_capabilities_allowed >> CAP_NET_BIND_SERVICE & 1) == 1);
	assert_true(spec_capabilities_allowed >> (CAP_LAST_CAP + 1) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),         cmocka_unit_test(test_paths),     cmocka_unit_test(test_roots),
		cmocka_unit_test(test_longest_paths), cmocka_unit_test(test_addresses), cmocka_unit_test(test_capabilities_that_amount_to_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
