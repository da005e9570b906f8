/* The parameters of a request, by role and kind of target. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <stdio.h>

#include "fcgipm/cli/request_params.h"

static struct request_params p;

static const char *get(const char *name)
{
	const char *value = request_params_get(&p, name);

	return value != NULL ? value : "(none)";
}

static void test_script(void **state)
{
	const struct request_about about = {.role = REQUEST_RESPONDER, .method = "GET", .target = "/srv/index.php?a=b?c", .script = true};

	(void)state;
	request_params_init(&p, &about);
	assert_string_equal(get("SCRIPT_FILENAME"), "/srv/index.php");
	assert_string_equal(get("SCRIPT_NAME"), "/srv/index.php");
	assert_string_equal(get("PATH_INFO"), "");
	assert_string_equal(get("QUERY_STRING"), "a=b?c");
	assert_string_equal(get("REQUEST_URI"), "/srv/index.php?a=b?c");
	assert_string_equal(get("REQUEST_METHOD"), "GET");
	assert_string_equal(get("REDIRECT_STATUS"), "200");
	assert_string_equal(get("GATEWAY_INTERFACE"), "CGI/1.1");
	assert_string_equal(get("CONTENT_LENGTH"), "0");
	assert_string_equal(get("CONTENT_TYPE"), "(none)");
	assert_string_equal(get("FCGI_DATA_LENGTH"), "(none)");
	assert_false(p.failed);
	request_params_fini(&p);
}

static void test_route_with_a_body(void **state)
{
	const struct request_about about = {.role = REQUEST_RESPONDER, .method = "POST", .target = "/users/1", .has_body = true, .body_bytes = 5000000000};

	(void)state;
	request_params_init(&p, &about);
	assert_string_equal(get("SCRIPT_NAME"), "");
	assert_string_equal(get("PATH_INFO"), "/users/1");
	assert_string_equal(get("QUERY_STRING"), "");
	assert_string_equal(get("CONTENT_LENGTH"), "5000000000");
	assert_string_equal(get("CONTENT_TYPE"), "application/x-www-form-urlencoded");
	request_params_fini(&p);
}

/* FastCGI specification, 6.3 and 6.4. */
static void test_roles(void **state)
{
	struct request_about about = {.role = REQUEST_AUTHORIZER, .method = "GET", .target = "/x"};

	(void)state;
	request_params_init(&p, &about);
	assert_string_equal(get("CONTENT_LENGTH"), "(none)");
	assert_string_equal(get("PATH_INFO"), "(none)");
	assert_string_equal(get("SCRIPT_NAME"), "(none)");
	assert_string_equal(get("REQUEST_URI"), "/x");
	request_params_fini(&p);
	about = (struct request_about){.role = REQUEST_FILTER, .method = "GET", .target = "/x", .data_bytes = 12, .data_mtime = 1700000000};
	request_params_init(&p, &about);
	assert_string_equal(get("FCGI_DATA_LENGTH"), "12");
	assert_string_equal(get("FCGI_DATA_LAST_MOD"), "1700000000");
	request_params_fini(&p);
}

static void test_override(void **state)
{
	const struct request_about about = {.role = REQUEST_RESPONDER, .method = "GET", .target = "/x"};
	char name[16];
	size_t before;

	(void)state;
	request_params_init(&p, &about);
	before = p.count;
	request_params_set(&p, "SCRIPT_FILENAME", "/other");
	assert_string_equal(get("SCRIPT_FILENAME"), "/other");
	assert_int_equal(p.count, before);
	request_params_set(&p, "APP_ENV", "");
	assert_string_equal(get("APP_ENV"), "");
	assert_int_equal(p.count, before + 1);
	for (unsigned i = 0; i < REQUEST_PARAMS_MAX; i++) {
		snprintf(name, sizeof(name), "X%u", i);
		request_params_set(&p, name, "y");
	}
	assert_true(p.failed);
	assert_int_equal(p.count, REQUEST_PARAMS_MAX);
	request_params_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_script),
		cmocka_unit_test(test_route_with_a_body),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_override),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
