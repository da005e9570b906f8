/* Which root admits which path, and where the administrator's part of it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <string.h>

#include "fcgipm/broker/roots.h"

static const char *const roots[] = {"/usr/lib/cgi-bin", "/home/*/public_html/cgi-bin", "/srv/[ab]?/x", "/bin/sh", NULL};

static void expect(const char *path, const char *root, const char *literal)
{
	size_t len = 99;

	if (root == NULL) {
		assert_null(broker_root_of(roots, path, &len));
		return;
	}
	assert_string_equal(broker_root_of(roots, path, &len), root);
	assert_int_equal(len, strlen(literal));
	assert_memory_equal(path, literal, len);
}

static void components_are_compared(void **state)
{
	(void)state;
	expect("/usr/lib/cgi-bin/hello", roots[0], "/usr/lib/cgi-bin");
	expect("/usr/lib/cgi-bin/a/b/c", roots[0], "/usr/lib/cgi-bin");
	expect("/usr/lib/cgi-bin2/hello", NULL, "");
	expect("/usr/lib/cgi-bi", NULL, "");
	expect("/usr/lib", NULL, "");
	expect("/usr", NULL, "");
	expect("/x/usr/lib/cgi-bin/hello", NULL, "");
}

static void a_root_may_be_a_file(void **state)
{
	(void)state;
	expect("/bin/sh", roots[3], "/bin/sh");
	expect("/bin/sha", NULL, "");
	expect("/bin/s", NULL, "");
}

static void a_pattern_is_one_component(void **state)
{
	(void)state;
	expect("/home/alice/public_html/cgi-bin/x", roots[1], "/home");
	expect("/home/a/b/public_html/cgi-bin/x", NULL, "");
	expect("/home/.hidden/public_html/cgi-bin/x", NULL, "");
	expect("/home/public_html/cgi-bin/x", NULL, "");
	expect("/srv/a1/x/y", roots[2], "/srv");
	expect("/srv/c1/x/y", NULL, "");
	expect("/srv/a/x/y", NULL, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(components_are_compared),
		cmocka_unit_test(a_root_may_be_a_file),
		cmocka_unit_test(a_pattern_is_one_component),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
