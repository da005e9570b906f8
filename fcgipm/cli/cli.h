/* The command line: one command a file, its descriptor first.  From the descriptors come the parser, the help and the
 * manual's synopsis.
 *
 * A new command: fcgipm/cli/cmd_NAME.c with a struct cli_command, its row in cli/commands.c, its paragraph in
 * man/fcgipm.8, its test.
 */
#ifndef FCGIPM_CLI_CLI_H
#define FCGIPM_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "include/fcgipm/protocol.h"

enum { CLI_OPTIONS_MAX = 256 };

/* Keys of options: the letter, or one of these for those without. */
enum cli_key {
	CLI_KEY_CONFIG = 'c',
	CLI_KEY_SOCKET = 's',
	CLI_KEY_HELP = 'h',
	CLI_KEY_LONG = 256, /* a command's own long options start here */
};

struct cli_option {
	int key; /* below 256 it is the letter too; 0 ends the list */
	const char *name; /* --name; NULL: the letter alone */
	const char *arg; /* what it takes, for the help; NULL: nothing; "[N]": perhaps a number, as the next word or after "=" */
	const char *help;
};

struct cli;

struct cli_command {
	const char *name;
	const char *args; /* for the help: "POOL", "[POOL]", "" */
	unsigned min_args, max_args; /* UINT_MAX: any number */
	unsigned words_after; /* behind so many arguments everything is one, also what begins with "-"; 0: only behind "--" */
	const char *brief; /* one line */
	const char *help; /* the rest; lines of at most 78 */
	int (*run)(struct cli *cli); /* returns the exit code */
	const struct cli_option *options;
};

/* An option as it was given. */
struct cli_given {
	int key;
	const char *value; /* NULL when it takes none, or got none */
};

struct cli {
	const struct cli_command *command;
	char **args; /* the first of argv's own places */
	unsigned arg_count;
	struct cli_given given[CLI_OPTIONS_MAX];
	unsigned given_count;
	FILE *out, *err;
};

/* Ends with command NULL. */
extern const struct cli_command *const cli_commands[];
extern const struct cli_option cli_common_options[];

/* Parses and runs; returns the exit code. */
int cli_main(struct cli *cli, int argc, char **argv);

/* Gathers the arguments at the front of argv.  0, or FCGIPM_EXIT_USAGE after it was said why.  cli->command NULL: help was asked for, of no command. */
int cli_parse(struct cli *cli, int argc, char **argv);
bool cli_has(const struct cli *cli, int key);
/* The value that was given last, or fallback. */
const char *cli_value(const struct cli *cli, int key, const char *fallback);

/* "fcgipm: TEXT" on err, control bytes escaped.  Returns code. */
int cli_say(const struct cli *cli, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same with a pointer to the help, and FCGIPM_EXIT_USAGE. */
int cli_usage(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void cli_help_all(FILE *out);
void cli_help_command(FILE *out, const struct cli_command *c);
/* The command of that name, or NULL; *ret_near then is the likeliest one meant, or NULL. */
const struct cli_command *cli_find_command(const char *name, const char **ret_near);

#endif
