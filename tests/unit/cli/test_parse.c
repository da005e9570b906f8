/* Words to commands and options; what is said when they are not understood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/cli/cli.h"

enum { WORDS_MAX = 16 };

static char *output, *complaint;
static size_t output_len, complaint_len;
static struct cli cli;

/* text: words with one blank between; its words must outlive the checks. */
static int with_words(const char *text, int (*act)(struct cli *, int, char **))
{
	static char copy[4096], name[] = "fcgipm", *argv[WORDS_MAX];
	char *rest = copy;
	int argc = 1, r;

	argv[0] = name;
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *word; argc < WORDS_MAX && (word = strsep(&rest, " ")) != NULL;)
		if (word[0] != '\0')
			argv[argc++] = word;
	free(output);
	free(complaint);
	cli = (struct cli){.out = open_memstream(&output, &output_len), .err = open_memstream(&complaint, &complaint_len)};
	r = act(&cli, argc, argv);
	fclose(cli.out);
	fclose(cli.err);
	return r;
}

static int parse(const char *text)
{
	return with_words(text, cli_parse);
}

static void test_options_anywhere(void **state)
{
	static const char *const same[] = {
		"-s /x scale blog --min 2",       "scale -s /x --min=2 blog",          "scale blog --min 2 -s/x",
		"--socket=/x scale --min 2 blog", "--socket /x scale --min 2 -- blog", "scale -s /old --min 1 blog --min 2 -s /x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		assert_int_equal(parse(same[i]), 0);
		assert_string_equal(cli.command->name, "scale");
		assert_int_equal(cli.arg_count, 1);
		assert_string_equal(cli.args[0], "blog");
		assert_string_equal(cli_value(&cli, CLI_KEY_SOCKET, NULL), "/x");
		assert_null(cli_value(&cli, CLI_KEY_CONFIG, NULL));
	}
	assert_int_equal(parse("stop -- -x"), 0);
	assert_string_equal(cli.args[0], "-x");
	assert_int_equal(parse("stop -"), 0);
	assert_string_equal(cli.args[0], "-");
	/* The first "--" is ours; what follows may be any number of words. */
	assert_int_equal(parse("import spawn-fcgi -s /x -- -s /y -F 2 -- a b c d"), 0);
	assert_int_equal(cli.arg_count, 10);
	assert_string_equal(cli.args[0], "spawn-fcgi");
	assert_string_equal(cli.args[1], "-s");
	assert_string_equal(cli.args[5], "--");
	assert_string_equal(cli.args[9], "d");
}

static void complains(const char *text, const char *want)
{
	assert_int_equal(parse(text), FCGIPM_EXIT_USAGE);
	if (strstr(complaint, want) == NULL)
		fail_msg("%s: \"%s\" is not in \"%s\"", text, want, complaint);
}

static void test_complaints(void **state)
{
	(void)state;
	complains("", "which command?\nsee fcgipm --help\n");
	complains("-c x", "which command?");
	complains("stauts", "unknown command stauts (did you mean status?)");
	complains("re", "did you mean reload?");
	complains("zzzzzz", "unknown command zzzzzz\n");
	complains("status --jsn", "unknown option --jsn (did you mean --json?)\nsee fcgipm status --help\n");
	complains("status --sokcet=x", "did you mean --socket?");
	complains("--json status", "unknown option --json");
	complains("status -x", "unknown option -x");
	complains("status --json=yes", "--json takes no value");
	complains("status a b", "too many arguments: b");
	complains("stop", "stop needs POOL");
	complains("stop x -c", "option -c needs FILE");
	complains("scale x --min", "option --min needs N");
	complains("st\x1b[31m", "st\\x1b[31m");
}

static int run(const char *text)
{
	return with_words(text, cli_main);
}

static void test_help(void **state)
{
	(void)state;
	assert_int_equal(run("--help"), 0);
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		char words[64];

		assert_non_null(strstr(output, cli_commands[i]->brief));
		snprintf(words, sizeof(words), "%s --help", cli_commands[i]->name);
		assert_int_equal(run(words), 0);
		assert_ptr_equal(strstr(output, "usage: fcgipm "), output);
		assert_non_null(strstr(output, "--socket SOCKET"));
		assert_string_equal(complaint, "");
		assert_int_equal(run("-h"), 0);
	}
}

/* No option of a command hides one of all commands, no key stands twice. */
static void test_descriptors(void **state)
{
	(void)state;
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		assert_true(cli_commands[i]->min_args <= cli_commands[i]->max_args);
		for (const struct cli_option *o = cli_commands[i]->options; o != NULL && o->key != 0; o++) {
			for (const struct cli_option *other = cli_common_options; other->key != 0; other++)
				assert_int_not_equal(o->key, other->key);
			for (const struct cli_option *other = o + 1; other->key != 0; other++)
				assert_int_not_equal(o->key, other->key);
		}
	}
}

static void test_values_are_judged(void **state)
{
	(void)state;
	assert_int_equal(run("scale blog -s /nonexistent"), FCGIPM_EXIT_USAGE);
	assert_int_equal(run("scale blog --min x -s /nonexistent"), FCGIPM_EXIT_USAGE);
	assert_int_equal(run("scale blog --min -1 -s /nonexistent"), FCGIPM_EXIT_USAGE);
	assert_int_equal(run("scale blog --min 3 --max 2 -s /nonexistent"), FCGIPM_EXIT_USAGE);
	assert_int_equal(run("scale blog --min 99999999999 -s /nonexistent"), FCGIPM_EXIT_USAGE);
	assert_int_equal(run("scale blog --min 0 -s /nonexistent"), FCGIPM_EXIT_NO_MANAGER);
	assert_int_equal(run("check --secrets"), FCGIPM_EXIT_USAGE);
}

/* A number that may be left out is the next word if it is one, and else the word is a word. */
static void test_a_value_that_may_be_left_out(void **state)
{
	static const struct {
		const char *text, *value, *pool;
	} rows[] = {
		{"status --watch", NULL, NULL},        {"status --watch 5", "5", NULL},       {"status --watch=5 7", "5", "7"},
		{"status --watch blog", NULL, "blog"}, {"status blog -w", NULL, "blog"},      {"status -w500ms blog", "500ms", "blog"},
		{"status -w 5 blog", "5", "blog"},     {"status --watch --json", NULL, NULL}, {"status -w -- 5", NULL, "5"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *value;

		assert_int_equal(parse(rows[i].text), 0);
		assert_true(cli_has(&cli, 'w'));
		value = cli_value(&cli, 'w', "fallback");
		assert_string_equal(value != NULL ? value : "none", rows[i].value != NULL ? rows[i].value : "none");
		assert_int_equal(cli.arg_count, rows[i].pool != NULL);
		if (rows[i].pool != NULL)
			assert_string_equal(cli.args[0], rows[i].pool);
	}
	assert_int_equal(run("status --watch=soon -s /nonexistent"), FCGIPM_EXIT_USAGE);
	assert_int_equal(run("status --watch=0 -s /nonexistent"), FCGIPM_EXIT_USAGE);
	assert_int_equal(run("status --watch 2 -s /nonexistent"), FCGIPM_EXIT_NO_MANAGER);
	assert_int_equal(run("status --sort colour -s /nonexistent"), FCGIPM_EXIT_USAGE);
	assert_int_equal(run("status --sort idel -s /nonexistent"), FCGIPM_EXIT_USAGE);
	assert_non_null(strstr(complaint, "did you mean idle?"));
	assert_int_equal(run("status blog --trouble -s /nonexistent"), FCGIPM_EXIT_USAGE);
}

static void test_version(void **state)
{
	(void)state;
	assert_int_equal(run("version"), 0);
	assert_string_equal(output, "fcgipm " FCGIPM_VERSION "\n");
	assert_int_equal(run("--version"), 0);
	assert_string_equal(output, "fcgipm " FCGIPM_VERSION "\n");
}

static int main_on_full_disk(struct cli *c, int argc, char **argv)
{
	FILE *memory = c->out;
	int r;

	c->out = fopen("/dev/full", "w");
	r = cli_main(c, argc, argv);
	fclose(c->out);
	c->out = memory;
	return r;
}

static void test_lost_output(void **state)
{
	(void)state;
	assert_int_equal(with_words("version", main_on_full_disk), FCGIPM_EXIT_NO);
	assert_non_null(strstr(complaint, "No space left"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_anywhere), cmocka_unit_test(test_complaints),        cmocka_unit_test(test_help),
		cmocka_unit_test(test_descriptors),      cmocka_unit_test(test_values_are_judged), cmocka_unit_test(test_a_value_that_may_be_left_out),
		cmocka_unit_test(test_version),          cmocka_unit_test(test_lost_output),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	free(output);
	free(complaint);
	return r;
}
