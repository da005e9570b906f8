/* The settings of the exec broker's profiles: what each takes, its range, and every error with its whole text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fcgipm/settings/settings.h"
#include "fcgipm/spec/spec.h"

static const struct settings_table *const table = &settings_profile_table;

/* Each number's bounds, and what is said of one step beyond. */
static const struct {
	const char *key, *least, *greatest, *below, *beyond;
} ranges[] = {
	{"min_uid", "1", "2147483647", "0 is below 1 (1 to 2147483647)", "2147483648 exceeds 2147483647 (1 to 2147483647)"},
	{"min_gid", "1", "2147483647", "0 is below 1 (1 to 2147483647)", "2147483648 exceeds 2147483647 (1 to 2147483647)"},
	{"umask", "0", "0777", "\"-1\" is no mode (octal digits, such as \"0022\")", "01000 exceeds 0777 (0000 to 0777)"},
	{"arguments.max", "0", "1023", "\"-1\" is no whole number (0 to 1023)", "1024 exceeds 1023 (0 to 1023)"},
	{"limits.nofile", "0", "2147483647", "\"-1\" is no whole number (0 to 2147483647)", "2147483648 exceeds 2147483647 (0 to 2147483647)"},
	{"limits.nproc", "0", "2147483647", "\"-1\" is no whole number (0 to 2147483647)", "2147483648 exceeds 2147483647 (0 to 2147483647)"},
	{"limits.core", "0", "1048576T", "\"-1\" is no size (such as 64K, 256M, 2G)", "1048577T exceeds 1048576T (0 to 1048576T)"},
	{"limits.as", "0", "1048576T", "\"-1\" is no size (such as 64K, 256M, 2G)", "1048577T exceeds 1048576T (0 to 1048576T)"},
	{"limits.cpu", "0", "365d", "\"-1\" is no duration (such as 250ms, 10s, 5m, 1h)", "366d exceeds 365d (0s to 365d)"},
	{"priority.nice", "-20", "19", "-21 is below -20 (-20 to 19)", "20 exceeds 19 (-20 to 19)"},
	{"timeout", "0", "365d", "\"-1\" is no duration (such as 250ms, 10s, 5m, 1h)", "366d exceeds 365d (0s to 365d)"},
	{"stop.timeout", "0", "365d", "\"-1\" is no duration (such as 250ms, 10s, 5m, 1h)", "366d exceeds 365d (0s to 365d)"},
	{"max_running", "1", "4096", "0 is below 1 (1 to 4096)", "4097 exceeds 4096 (1 to 4096)"},
	{"queue.limit", "0", "65535", "\"-1\" is no whole number (0 to 65535)", "65536 exceeds 65535 (0 to 65535)"},
};

static const char *below(const struct settings_row *row, const char *least)
{
	if (row->type == SETTINGS_INTEGER)
		return "-21";
	return strcmp(least, "1") == 0 ? "0" : "-1";
}

static const char *beyond(const char *text)
{
	static char written[32];

	snprintf(written, sizeof(written), "%.*s", (int)strcspn(text, " "), text);
	return written;
}

static void test_ranges(void **state)
{
	struct profile_settings s = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		const struct settings_row *row = settings_find(table, ranges[i].key);
		struct fp_err low = {0}, high = {0}, none = {.text = ""};

		settings_set(&s, row, ranges[i].least, &none);
		settings_set(&s, row, ranges[i].greatest, &none);
		assert_string_equal(none.text, "");
		assert_true(settings_set(&s, row, below(row, ranges[i].least), &low) < 0);
		assert_string_equal(low.text, ranges[i].below);
		assert_int_equal(settings_set(&s, row, beyond(ranges[i].beyond), &high), -ERANGE);
		assert_string_equal(high.text, ranges[i].beyond);
	}
	assert_int_equal(s.max_running, SPEC_RUNNING_MAX);
	assert_int_equal(s.arguments_max, SPEC_ARGS_MAX - 1);
	settings_profile_free(&s);
}

static const struct {
	const char *key, *written, *wrong; /* NULL: it is taken */
} texts[] = {
	{"user", "owner", NULL},
	{"user", "alice", NULL},
	{"user", "a:b", "\"a:b\" is no account (a name or a number)"},
	{"group", "33", NULL},
	{"group", "", NULL},
	{"group", "@a", "\"@a\" is no account (a name or a number)"},
	{"worker_clients", "yes", "\"yes\" is no switch (true or false)"},
	{"outlives_client", "1", "\"1\" is no switch (true or false)"},
	{"leaves_descendants", "on", "\"on\" is no switch (true or false)"},
	{"sandbox.no_new_privileges", "0", "\"0\" is no switch (true or false)"},
	{"file_owner", "run", NULL},
	{"file_owner", "root", NULL},
	{"file_owner", "any", NULL},
	{"file_owner", "owner", "\"owner\" is not known here (run, root, run_or_root or any)"},
	{"file_group", "run", NULL},
	{"file_group", "root", "\"root\" is not known here (any or run)"},
	{"chroot", "srv", "\"srv\" is no absolute path (such as /srv/alice)"},
	{"directory", "", NULL},
	{"directory", "/a/..", "\"/a/..\" is no plain path (no \".\", \"..\" or empty parts, no control characters; such as /srv/alice)"},
	{"roots", "/srv", "\"/srv\" is no list (such as [a, b])"},
};

static void test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct profile_settings s = {0};
		struct fp_err err = {.text = ""};

		settings_set(&s, settings_find(table, texts[i].key), texts[i].written, &err);
		assert_string_equal(err.text, texts[i].wrong != NULL ? texts[i].wrong : "");
		settings_profile_free(&s);
	}
}

#define NAME "is no name of a variable (no blanks, no \"=\", \"*\" at the end alone; such as TZ or LC_*)"
#define ROOT "is no pattern (a \"[\" without its \"]\", or a backslash; *, ? and [...] within one component)"
static const struct {
	const char *key, *item, *wrong; /* NULL: it is taken */
} items[] = {
	{"roots", "/usr/lib/cgi-bin", NULL},
	{"roots", "/home/*/public_html/[a-c]?", NULL},
	{"roots", "/usr/lib/git-core/git-http-backend", NULL},
	{"roots", "", "\"\" is no absolute path (such as /usr/lib/cgi-bin)"},
	{"roots", "cgi-bin", "\"cgi-bin\" is no absolute path (such as /usr/lib/cgi-bin)"},
	{"roots", "/srv/", "\"/srv/\" is no plain path (no \".\", \"..\" or empty parts, no control characters; such as /usr/lib/cgi-bin)"},
	{"roots", "/", "\"/\" would be every program (such as /usr/lib/cgi-bin)"},
	{"roots", "/srv/[a", "\"/srv/[a\" " ROOT},
	{"roots", "/srv/[a/b]", "\"/srv/[a/b]\" " ROOT},
	{"roots", "/srv/\\*", "\"/srv/\\\\*\" " ROOT},
	{"environment_allow", "TZ", NULL},
	{"environment_allow", "LC_*", NULL},
	{"environment_allow", "LD", NULL},
	{"environment_allow", "LDAP*", NULL},
	{"environment_allow", "", "\"\" " NAME},
	{"environment_allow", "A=b", "\"A=b\" " NAME},
	{"environment_allow", "A B", "\"A B\" " NAME},
	{"environment_allow", "A*B", "\"A*B\" " NAME},
	{"environment_allow", "A**", "\"A**\" " NAME},
	{"environment_allow", "LD_PRELOAD", "\"LD_PRELOAD\" is the loader's (no client may give that)"},
	{"environment_allow", "LD_*", "\"LD_*\" is the loader's (no client may give that)"},
	{"environment_allow", "*", "\"*\" would be those of the loader, too, LD_* (a longer prefix)"},
	{"environment_allow", "LD*", "\"LD*\" would be those of the loader, too, LD_* (a longer prefix)"},
	{"arguments.allow", "*", NULL},
	{"arguments.allow", "[", NULL}, /* fnmatch(3) takes it for itself */
	{"arguments.allow", "", "\"\" is no pattern (1 to 4095 bytes, such as --*)"},
	{"arguments.allow", "a\tb", "\"a\\tb\" is no pattern (no control characters; such as --*)"},
	{"clients", "@hosting", NULL},
	{"clients", "@", "\"@\" is nobody (a user, or a group as \"@group\")"},
	{"groups", "@a", "\"@a\" is no account (a name or a number)"},
	{"environment", "A B=x", "\"A B\" is no name of a variable (no blanks, no \"=\"; such as APP_ENV)"},
	{"sandbox.capabilities", "SYS_ADMIN", "\"SYS_ADMIN\" amounts to root (such as CAP_NET_BIND_SERVICE)"},
};

static void test_items(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		struct profile_settings s = {0};
		struct fp_err err = {.text = ""};

		settings_add(&s, settings_find(table, items[i].key), items[i].item, &err);
		assert_string_equal(err.text, items[i].wrong != NULL ? items[i].wrong : "");
		settings_profile_free(&s);
	}
}

static const struct {
	const char *key, *item;
	int most;
	const char *wrong;
} longest[] = {
	{"roots", "/srv", SPEC_ROOTS_MAX, "too many of them (256 at most)"},
	{"environment_allow", "A", SPEC_WORDS_MAX, "too many of them (1024 at most)"},
	{"arguments.allow", "a", SPEC_WORDS_MAX, "too many of them (1024 at most)"},
	{"clients", "a", SPEC_CLIENTS_MAX, "too many of them (4096 at most)"},
};

static void test_longest_lists(void **state)
{
	static char text[4097];
	struct profile_settings s = {0};
	struct fp_err err = {.text = ""};

	(void)state;
	for (size_t i = 0; i < sizeof(longest) / sizeof(longest[0]); i++) {
		const struct settings_row *row = settings_find(table, longest[i].key);
		struct fp_err many = {0};

		for (int k = 0; k < longest[i].most; k++)
			assert_int_equal(settings_add(&s, row, longest[i].item, NULL), 0);
		assert_int_equal(settings_add(&s, row, longest[i].item, &many), -E2BIG);
		assert_string_equal(many.text, longest[i].wrong);
	}
	settings_profile_free(&s);
	memset(text, 'x', sizeof(text) - 1);
	assert_int_equal(settings_add(&s, settings_find(table, "arguments.allow"), text, &err), -EINVAL);
	assert_non_null(strstr(err.text, "...\" is no pattern (1 to 4095 bytes, such as --*)"));
	text[4095] = '\0';
	assert_int_equal(settings_add(&s, settings_find(table, "arguments.allow"), text, NULL), 0);
	settings_profile_free(&s);
}

/* What is run from then on: nothing of a profile replaces anything. */
static void test_rows(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < table->count; i++) {
		assert_ptr_equal(settings_find(table, table->rows[i].key), &table->rows[i]);
		assert_int_equal(table->rows[i].class, SETTINGS_LIVE);
		assert_int_equal(table->rows[i].status, SETTINGS_NOW);
	}
	assert_null(settings_find(table, "workers.max"));
	assert_null(settings_find(table, "arguments"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),        cmocka_unit_test(test_texts), cmocka_unit_test(test_items),
		cmocka_unit_test(test_longest_lists), cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
