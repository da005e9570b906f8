/* OpenMetrics of a snapshot: what tests/integration/test_metrics.py reads with a parser, here with what no honest manager says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/client/openmetrics.h"
#include "tests/unit/client/sample.h"

static char *rendered(struct snapshot_pool *pools, uint32_t count)
{
	struct wire_status_profile profile = sample_profile();
	struct snapshot s = {.manager = {.version = "1\"\\\n\x1b[31m\xff", .uptime_ms = 93784005, .manager_starts = 1},
			     .count = count,
			     .pools = pools,
			     .profile_count = 1,
			     .profiles = &profile};
	struct fp_doc d = {.at = NULL};

	openmetrics_render(&d, &s);
	assert_false(d.failed);
	return d.at;
}

static void test_foreign_texts_stay_in_their_label(void **state)
{
	struct snapshot_pool p = {.figures = sample_blog()};
	char *got;

	(void)state;
	p.figures.name = "a\"} 1\nfcgipm_workers 9";
	got = rendered(&p, 1);
	assert_non_null(strstr(got, "\nfcgipm_info{version=\"1\\\"\\\\\\n?[31m?\"} 1\n"));
	assert_non_null(strstr(got, "\nfcgipm_listen_queue{pool=\"a\\\"} 1\\nfcgipm_workers 9\"} 3\n"));
	free(got);
}

static void test_values(void **state)
{
	struct snapshot_pool p[2] = {{.figures = sample_blog()}, {.figures = sample_bad()}};
	char *got = rendered(p, 2);

	(void)state;
	assert_non_null(strstr(got, "# TYPE fcgipm_uptime_seconds gauge\n# UNIT fcgipm_uptime_seconds seconds\n"));
	assert_non_null(strstr(got, "\nfcgipm_uptime_seconds 93784.005\n"));
	assert_non_null(strstr(got, "\nfcgipm_manager_deaths_total 1\n"));
	assert_non_null(strstr(got, "\nfcgipm_restarts_total{pool=\"blog\",reason=\"boot\"} 4\n"));
	assert_non_null(strstr(got, "\nfcgipm_alarm_seconds_total{pool=\"blog\",alarm=\"slow_boot\"} 0.010\n"));
	assert_non_null(strstr(got, "\nfcgipm_pool_state{pool=\"bad\",fcgipm_pool_state=\"failed\"} 1\n"));
	assert_non_null(strstr(got, "\nfcgipm_pool_state{pool=\"bad\",fcgipm_pool_state=\"ready\"} 0\n"));
	assert_null(strstr(got, "fcgipm_listen_queue{pool=\"bad\"}")); /* unknown */
	assert_null(strstr(got, "fcgipm_accepted_connections_total{pool=\"blog\"}"));
	assert_non_null(strstr(got, "fcgipm_accepted_connections_total{pool=\"bad\"} 0\n"));
	assert_non_null(strstr(got, "\nfcgipm_exec_started_total{profile=\"c\\\"gi\"} 1234567\n"));
	assert_non_null(strstr(got, "\nfcgipm_exec_cpu_seconds_total{profile=\"c\\\"gi\"} 93.500\n"));
	assert_string_equal(got + strlen(got) - 6, "# EOF\n");
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_foreign_texts_stay_in_their_label),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
