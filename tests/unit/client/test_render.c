/* What people and machines read of a snapshot, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/client/figures.h"
#include "fcgipm/client/render.h"
#include "tests/unit/client/sample.h"

static uint8_t bytes[4096];

static char *rendered(void (*render)(struct fp_doc *, const struct snapshot *))
{
	struct snapshot s;
	struct fp_doc d = {.at = NULL};

	assert_int_equal(snapshot_decode(bytes, sample_encode(bytes, sizeof(bytes)), &s, NULL), 0);
	render(&d, &s);
	assert_false(d.failed);
	snapshot_free(&s);
	return d.at;
}

static void test_json(void **state)
{
	char *got = rendered(render_json);

	(void)state;
	assert_string_equal(
		got, "{\"manager\": {\"version\": \"0.1.0\", \"pid\": 12, \"launcher_pid\": 11, \"uptime_ms\": 93784000, "
		     "\"generation\": 2, \"workers\": 3, "
		     "\"max_workers\": 512, \"manager_starts\": 1, \"refused\": 0},\n\"pools\": [\n"
		     "{\"name\": \"blog\", \"state\": \"ready\", \"start\": \"exec\", \"start_reason\": \"start: exec\", "
		     "\"listen\": \"/run/fcgipm/pools/blog.sock\", \"queue\": {\"depth\": 3, \"limit\": 511, \"peak\": 40, \"full_ms\": 9}, "
		     "\"workers\": {\"idle\": 1, \"busy\": 2, \"booting\": 0, \"retiring\": 0, \"total\": 3, \"min\": 1, "
		     "\"max\": 16, \"pids\": [21, 22, 23]}, "
		     "\"served\": null, \"restarts\": {\"exit\": 1, \"signal\": 2, \"timeout\": 3, \"boot\": 4, "
		     "\"lifetime\": 5, \"replaced\": 6, \"requests\": 11, \"template\": 0}, "
		     "\"at_max_ms\": 7, \"held_ms\": 8, \"slow_boot_ms\": 10, \"crashing_ms\": 0, \"abandoned\": null, \"slow\": 12, \"busy_ms\": 13500, "
		     "\"memory_bytes\": "
		     "8388608, \"template\": {\"pid\": 20, \"age_ms\": 12, \"memory_bytes\": 4096}, \"last_error\": null, "
		     "\"user\": \"alice\", \"generation\": 2, \"notes\": [], \"alarms\": [\"at_max\"], "
		     "\"decisions\": [\"2.4 s ago: 1 more, 2 to 3 workers: load (2 waited, 2 were served)\"]},\n"
		     "{\"name\": \"bad\", \"state\": \"failed\", \"start\": \"exec\", \"start_reason\": null, "
		     "\"listen\": \"127.0.0.1:9000\", \"queue\": {\"depth\": null, \"limit\": 5, \"peak\": 0, \"full_ms\": 0}, "
		     "\"workers\": {\"idle\": 0, \"busy\": 0, \"booting\": 0, \"retiring\": 0, \"total\": 0, \"min\": 0, "
		     "\"max\": 1, \"pids\": []}, "
		     "\"served\": 0, \"restarts\": {\"exit\": 0, \"signal\": 0, \"timeout\": 0, \"boot\": 0, \"lifetime\": "
		     "0, \"replaced\": 0, \"requests\": 0, \"template\": 0}, "
		     "\"at_max_ms\": 0, \"held_ms\": 0, \"slow_boot_ms\": 0, \"crashing_ms\": 0, \"abandoned\": null, \"slow\": null, \"busy_ms\": null, "
		     "\"memory_bytes\": null, "
		     "\"template\": {\"pid\": null, \"age_ms\": null, \"memory_bytes\": null}, "
		     "\"last_error\": \"exec \\\"/x\\\": \\u001b[31mno\\u00ff\\nsuch file\", "
		     "\"user\": \"bob\", \"generation\": 1, \"notes\": [\"3 \\\"crashes\\\" in a row\"], \"alarms\": [], \"decisions\": []}],\n\"exec\": [\n"
		     "{\"name\": \"c\\\"gi\", \"running\": 2, \"max_running\": 64, \"queue\": {\"depth\": 1, \"limit\": 256, \"peak\": 9}, "
		     "\"started\": 1234567, \"failed\": 3, \"timeouts\": 4, \"busy\": 5, \"refused\": 6, \"cpu_ms\": 93500}]}\n");
	free(got);
}

static void test_detail(void **state)
{
	char *got = rendered(render_detail);

	(void)state;
	assert_non_null(strstr(got, "\n\n  name                 blog\n  state                ready\n"));
	assert_non_null(strstr(got, "\n  queue.depth          3            connections that wait now\n"));
	assert_non_null(strstr(got, "\n  workers.pids         21 22 23\n"));
	assert_non_null(strstr(got, "\n  memory_bytes         8.0M         resident memory of its workers\n"));
	assert_non_null(strstr(got, "\n  at_max_ms            7 ms         time spent"));
	assert_non_null(strstr(got, "\n  served               -            requests served\n"));
	assert_non_null(strstr(got, "\n  notes                \n    3 \"crashes\" in a row\n"));
	assert_null(strchr(got, '\x1b'));
	free(got);
}

/* The renderer of JSON relies upon it. */
static void stand_together(const struct figure *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool left = false;

		for (size_t j = i + 1; j < count; j++) {
			size_t group = strcspn(rows[i].path, ".");
			bool same = rows[i].path[group] == '.' && strncmp(rows[i].path, rows[j].path, group + 1) == 0;

			assert_string_not_equal(rows[i].path, rows[j].path);
			assert_false(left && same);
			left = left || !same;
		}
	}
}

static void test_rows_of_an_object_stand_together(void **state)
{
	(void)state;
	stand_together(figures_pool, figures_pool_count);
	stand_together(figures_profile, figures_profile_count);
}

static void test_age(void **state)
{
	char buf[64];

	(void)state;
	assert_string_equal(render_age(999, buf, sizeof(buf)), "0s");
	assert_string_equal(render_age(59999, buf, sizeof(buf)), "59s");
	assert_string_equal(render_age(61000, buf, sizeof(buf)), "1m 1s");
	assert_string_equal(render_age(3600000, buf, sizeof(buf)), "1h 0m");
	assert_string_equal(render_age(INT64_C(86400000) * 400, buf, sizeof(buf)), "400d 0h");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_detail),
		cmocka_unit_test(test_rows_of_an_object_stand_together),
		cmocka_unit_test(test_age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
