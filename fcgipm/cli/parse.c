/* From words to a command with its options (command line).  Options may stand anywhere before "--", those of all
 * commands also before the command's name. */
#include "fcgipm/cli/cli.h"

#include <string.h>

#include "fcgipm/cli/near.h"

struct words {
	int count, at;
	char **word;
};

static const struct cli_option *by_letter(const struct cli_option *o, char letter)
{
	for (; o->key != 0; o++)
		if (o->key == letter)
			return o;
	return NULL;
}

static const struct cli_option *by_name(const struct cli_option *o, const char *name, size_t len)
{
	for (; o->key != 0; o++)
		if (o->name != NULL && strlen(o->name) == len && memcmp(o->name, name, len) == 0)
			return o;
	return NULL;
}

static const struct cli_option *own_options(const struct cli *cli)
{
	static const struct cli_option none = {.key = 0};

	return cli->command != NULL && cli->command->options != NULL ? cli->command->options : &none;
}

static int unknown_name(struct cli *cli, const char *name, size_t len)
{
	char word[64];
	struct near near = {.word = word};

	if (len >= sizeof(word))
		return cli_usage(cli, "unknown option --%.*s", (int)len, name);
	memcpy(word, name, len);
	word[len] = '\0';
	for (const struct cli_option *o = cli_common_options; o->key != 0; o++)
		near_try(&near, o->name);
	for (const struct cli_option *o = own_options(cli); o->key != 0; o++)
		if (o->name != NULL)
			near_try(&near, o->name);
	if (near.best != NULL)
		return cli_usage(cli, "unknown option --%s (did you mean --%s?)", word, near.best);
	return cli_usage(cli, "unknown option --%s", word);
}

static int add_given(struct cli *cli, const struct cli_option *o, const char *value)
{
	if (cli->given_count == CLI_OPTIONS_MAX)
		return cli_usage(cli, "more than %d options", CLI_OPTIONS_MAX);
	cli->given[cli->given_count++] = (struct cli_given){.key = o->key, .value = value};
	return 0;
}

/* The value that is in the next word. */
static const char *next_word(struct words *w)
{
	return w->at < w->count ? w->word[w->at++] : NULL;
}

/* Of an option whose value may be left out: what begins with a digit. */
static const char *next_number(struct words *w)
{
	return w->at < w->count && w->word[w->at][0] >= '0' && w->word[w->at][0] <= '9' ? next_word(w) : NULL;
}

static bool needs_value(const struct cli_option *o)
{
	return o->arg != NULL && o->arg[0] != '[';
}

/* --name, --name=value, --name value */
static int parse_long(struct cli *cli, struct words *w, const char *name)
{
	const char *equals = strchr(name, '='), *value = equals != NULL ? equals + 1 : NULL;
	size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
	const struct cli_option *o = by_name(cli_common_options, name, len);

	if (o == NULL)
		o = by_name(own_options(cli), name, len);
	if (o == NULL)
		return unknown_name(cli, name, len);
	if (o->arg == NULL && value != NULL)
		return cli_usage(cli, "option --%s takes no value", o->name);
	if (o->arg != NULL && value == NULL)
		value = needs_value(o) ? next_word(w) : next_number(w);
	if (needs_value(o) && value == NULL)
		return cli_usage(cli, "option --%s needs %s", o->name, o->arg);
	return add_given(cli, o, value);
}

/* -x, -xVALUE, -x VALUE, and several letters in one word */
static int parse_letters(struct cli *cli, struct words *w, const char *letters)
{
	for (; *letters != '\0'; letters++) {
		const struct cli_option *o = by_letter(cli_common_options, *letters);
		const char *value = NULL;
		int r;

		if (o == NULL)
			o = by_letter(own_options(cli), *letters);
		if (o == NULL)
			return cli_usage(cli, "unknown option -%c", *letters);
		if (o->arg != NULL && letters[1] != '\0')
			value = letters + 1;
		else if (o->arg != NULL)
			value = needs_value(o) ? next_word(w) : next_number(w);
		if (needs_value(o) && value == NULL)
			return cli_usage(cli, "option -%c needs %s", *letters, o->arg);
		r = add_given(cli, o, value);
		if (r != 0 || o->arg != NULL)
			return r;
	}
	return 0;
}

/* It takes the place of a word that has been read. */
static int add_arg(struct cli *cli, char *word)
{
	if (cli->arg_count == cli->command->max_args)
		return cli_usage(cli, "too many arguments: %s", word);
	cli->args[cli->arg_count++] = word;
	return 0;
}

static int choose_command(struct cli *cli, const char *word)
{
	const char *near = NULL;

	cli->command = cli_find_command(word, &near);
	if (cli->command != NULL)
		return 0;
	if (near != NULL)
		return cli_usage(cli, "unknown command %s (did you mean %s?)", word, near);
	return cli_usage(cli, "unknown command %s", word);
}

static int parse_word(struct cli *cli, struct words *w, bool *words_only)
{
	char *word = w->word[w->at++];
	bool behind = cli->command != NULL && cli->command->words_after > 0 && cli->arg_count > cli->command->words_after;

	if (behind)
		return add_arg(cli, word);
	if (cli->command == NULL && strcmp(word, "--version") == 0)
		return choose_command(cli, "version");
	if (*words_only || word[0] != '-' || word[1] == '\0')
		return cli->command != NULL ? add_arg(cli, word) : choose_command(cli, word);
	if (word[1] != '-')
		return parse_letters(cli, w, word + 1);
	if (word[2] != '\0')
		return parse_long(cli, w, word + 2);
	*words_only = true;
	return 0;
}

int cli_parse(struct cli *cli, int argc, char **argv)
{
	struct words w = {.count = argc, .at = 1, .word = argv};
	bool words_only = false;

	cli->args = argv;
	while (w.at < w.count) {
		int r = parse_word(cli, &w, &words_only);

		if (r != 0)
			return r;
	}
	if (cli_has(cli, CLI_KEY_HELP))
		return 0;
	if (cli->command == NULL)
		return cli_usage(cli, "which command?");
	if (cli->arg_count < cli->command->min_args)
		return cli_usage(cli, "%s needs %s", cli->command->name, cli->command->args);
	return 0;
}

bool cli_has(const struct cli *cli, int key)
{
	for (unsigned i = 0; i < cli->given_count; i++)
		if (cli->given[i].key == key)
			return true;
	return false;
}

const char *cli_value(const struct cli *cli, int key, const char *fallback)
{
	for (unsigned i = cli->given_count; i > 0; i--)
		if (cli->given[i - 1].key == key)
			return cli->given[i - 1].value;
	return fallback;
}
