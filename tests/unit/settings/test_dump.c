/* The dump: its form, what it hides, and that the parser of configurations reads the same again from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "fcgipm/conf/section.h"
#include "tests/unit/settings/other.h"

/* Reads a dump of a whole table into s; nothing may be wrong with it. */
static void read_dump(const struct fp_doc *d, const struct settings_table *t, void *s)
{
	struct spec_place places[SETTINGS_POOL_COUNT + SETTINGS_PROFILE_COUNT + SETTINGS_MANAGER_COUNT] = {0};
	struct conf_report *report = conf_report_new();
	struct fp_arena arena = {0};
	struct conf_yaml y = {.arena = &arena, .report = report};
	const struct conf_section c = {report, t, s, places, "dump", NULL};
	const struct conf_node *root;
	struct fp_doc wrong = {.at = NULL};
	uint32_t errors, warnings;

	conf_report_file(report, "dump");
	root = conf_yaml_parse(&y, d->at, d->len);
	if (root != NULL)
		conf_section_apply(&c, root);
	conf_report_print(report, &wrong, &errors, &warnings);
	assert_string_equal(wrong.at != NULL ? wrong.at : "", "");
	assert_non_null(root);
	for (uint32_t i = 0; i < t->count; i++)
		assert_int_not_equal(places[i].line, 0); /* every key is there */
	fp_arena_fini(&arena);
	conf_report_free(report);
}

static void test_pool_again(void **state)
{
	struct pool_settings a = {0}, b = {0};
	struct fp_doc first = {.at = NULL}, second = {.at = NULL};
	struct fp_err err = {.text = ""};
	const char *key = NULL;

	(void)state;
	settings_preset_all(&a, &settings_pool_table, &err);
	for (uint32_t i = 0; i < settings_pool_table.count; i++)
		if (settings_pool_table.rows[i].status == SETTINGS_NOW)
			other_set(&a, &settings_pool_table.rows[i], &err);
	assert_string_equal(err.text, "");
	settings_dump(&first, &settings_pool_table, &a, 0, true);
	read_dump(&first, &settings_pool_table, &b);
	settings_dump(&second, &settings_pool_table, &b, 0, true);
	assert_string_equal(second.at, first.at);
	assert_int_equal(settings_pool_compare(&a, &b, &key), SETTINGS_SAME);
	assert_null(key);
	fp_doc_fini(&first);
	fp_doc_fini(&second);
	settings_pool_free(&a);
	settings_pool_free(&b);
}

static void test_manager_again(void **state)
{
	struct manager_settings a = {0}, b = {0};
	struct fp_doc first = {.at = NULL}, second = {.at = NULL};
	struct fp_err err = {.text = ""};

	(void)state;
	for (uint32_t i = 0; i < settings_manager_table.count; i++)
		other_set(&a, &settings_manager_table.rows[i], &err);
	assert_string_equal(err.text, "");
	settings_dump(&first, &settings_manager_table, &a, 0, false);
	read_dump(&first, &settings_manager_table, &b);
	settings_dump(&second, &settings_manager_table, &b, 0, false);
	assert_string_equal(second.at, first.at);
	assert_int_equal(settings_manager_compare(&a, &b, NULL), SETTINGS_SAME);
	fp_doc_fini(&first);
	fp_doc_fini(&second);
	settings_manager_free(&a);
	settings_manager_free(&b);
}

static void test_profile_again(void **state)
{
	struct profile_settings a = {0}, b = {0};
	struct fp_doc first = {.at = NULL}, second = {.at = NULL};
	struct fp_err err = {.text = ""};

	(void)state;
	for (uint32_t i = 0; i < settings_profile_table.count; i++)
		other_set(&a, &settings_profile_table.rows[i], &err);
	assert_string_equal(err.text, "");
	settings_dump(&first, &settings_profile_table, &a, 0, true);
	read_dump(&first, &settings_profile_table, &b);
	settings_dump(&second, &settings_profile_table, &b, 0, true);
	assert_string_equal(second.at, first.at);
	for (uint32_t i = 0; i < settings_profile_table.count; i++)
		assert_true(settings_same(&settings_profile_table.rows[i], &a, &b));
	fp_doc_fini(&first);
	fp_doc_fini(&second);
	settings_profile_free(&a);
	settings_profile_free(&b);
}

/* One row with its value, dumped two deep. */
static const struct {
	const char *key, *value;
	bool secrets;
	const char *want;
} forms[] = {
	{"user", "alice", false, "  user: alice\n"},
	{"user", "m\xc3\xbcller", false, "  user: \"m\xc3\xbcller\"\n"},
	{"workers.max", "3", false, "  workers:\n    max: 3\n"},
	{"umask", "22", false, "  umask: \"0022\"\n"},
	{"chroot", "", false, "  chroot: \"\"\n"},
	{"chroot", "/a#b: c", false, "  chroot: \"/a#b: c\"\n"},
	{"groups", NULL, false, "  groups: []\n"},
	{"groups", "adm", false, "  groups: [adm]\n"},
	{"groups", "33", false, "  groups: [33]\n"},
	{"groups", "0", false, "  groups: [0]\n"},
	{"groups", "0660", false, "  groups: [\"0660\"]\n"}, /* what other readers take for something else */
	{"groups", "1e3", false, "  groups: [\"1e3\"]\n"},
	{"groups", "0x10", false, "  groups: [\"0x10\"]\n"},
	{"groups", "2026-01-01", false, "  groups: [\"2026-01-01\"]\n"},
	{"groups", "No", false, "  groups: [\"No\"]\n"},
	{"groups", "y", false, "  groups: [\"y\"]\n"},
	{"groups", "yeti", false, "  groups: [yeti]\n"},
	{"output", "null", false, "  output: \"null\"\n"},
	{"groups", ".5", false, "  groups: [\".5\"]\n"}, /* a text, not a number */
	{"groups", "+1", false, "  groups: [\"+1\"]\n"},
	{"environment", NULL, false, "  environment: {}\n"},
	{"environment", "KEY=Xyzzy42", false, "  environment:\n    \"KEY\": \"********\"\n"},
	{"environment", "KEY=", false, "  environment:\n    \"KEY\": \"********\"\n"}, /* not even that it is empty */
	{"environment", "KEY=Xyzzy42", true, "  environment:\n    \"KEY\": \"Xyzzy42\"\n"},
};

static void test_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const struct settings_row *row = settings_find(&settings_pool_table, forms[i].key);
		const struct settings_table one = {row, 1, "one"};
		struct pool_settings s = {0};
		struct fp_doc d = {.at = NULL};

		if (forms[i].value != NULL && settings_kind_of(row->type) == SETTINGS_LIST)
			assert_int_equal(settings_add(&s, row, forms[i].value, NULL), 0);
		else if (forms[i].value != NULL)
			assert_int_equal(settings_set(&s, row, forms[i].value, NULL), 0);
		settings_dump(&d, &one, &s, 2, forms[i].secrets);
		assert_string_equal(d.at, forms[i].want);
		fp_doc_fini(&d);
		settings_pool_free(&s);
	}
}

/* Every key of a profile with its default. */
static void test_presets_of_a_profile(void **state)
{
	struct profile_settings s = {0};
	struct fp_doc d = {.at = NULL};

	(void)state;
	assert_int_equal(settings_preset_all(&s, &settings_profile_table, NULL), 0);
	settings_dump(&d, &settings_profile_table, &s, 2, false);
	assert_string_equal(d.at, "  roots: []\n"
				  "  user: owner\n"
				  "  group: \"\"\n"
				  "  groups: []\n"
				  "  clients: [www-data]\n"
				  "  worker_clients: false\n"
				  "  outlives_client: false\n"
				  "  leaves_descendants: false\n"
				  "  file_owner: run_or_root\n"
				  "  file_group: any\n"
				  "  min_uid: 1000\n"
				  "  min_gid: 100\n"
				  "  chroot: \"\"\n"
				  "  directory: \"\"\n"
				  "  umask: \"0022\"\n"
				  "  environment: {}\n"
				  "  environment_allow: []\n"
				  "  arguments:\n"
				  "    max: 64\n"
				  "    allow: []\n"
				  "  limits:\n"
				  "    nofile: 1024\n"
				  "    nproc: 0\n"
				  "    core: 0\n"
				  "    as: 0\n"
				  "    cpu: 0s\n"
				  "  priority:\n"
				  "    nice: 0\n"
				  "  sandbox:\n"
				  "    no_new_privileges: true\n"
				  "    capabilities: []\n"
				  "  timeout: 1m\n"
				  "  stop:\n"
				  "    timeout: 3s\n"
				  "  max_running: 64\n"
				  "  queue:\n"
				  "    limit: 511\n");
	fp_doc_fini(&d);
	settings_profile_free(&s);
}

/* A section's name stands once, before its keys. */
static void test_sections(void **state)
{
	struct manager_settings s = {0};
	struct fp_doc d = {.at = NULL};

	(void)state;
	settings_preset_all(&s, &settings_manager_table, NULL);
	settings_dump(&d, &settings_manager_table, &s, 2, false);
	assert_string_equal(d.at, "  user: fcgipm\n"
				  "  runtime_directory: \"\"\n"
				  "  max_workers: 512\n"
				  "  control:\n"
				  "    operators: [root]\n"
				  "    observers: [\"@adm\"]\n"
				  "    frontends: [www-data]\n"
				  "    holders: [root]\n"
				  "  log:\n"
				  "    target: stderr\n"
				  "    level: info\n"
				  "    format: logfmt\n");
	fp_doc_fini(&d);
	settings_manager_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pool_again),           cmocka_unit_test(test_manager_again), cmocka_unit_test(test_profile_again),
		cmocka_unit_test(test_presets_of_a_profile), cmocka_unit_test(test_forms),         cmocka_unit_test(test_sections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
