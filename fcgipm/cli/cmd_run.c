/* fcgipm run: becomes the launcher, which keeps this process's pid, so that a supervisor signals the right one (command
 * line). */
#include "fcgipm/cli/commands.h"

#include "fcgipm/cli/role.h"

static int run(struct cli *cli);

const struct cli_command cmd_run = {
	.name = "run",
	.args = "",
	.brief = "run the pools of a configuration, in the foreground",
	.help = "Signals: HUP reload, USR1 reopen log files, TERM or INT stop, QUIT drain and stop.\n"
		"An ordinary user's pools run as that user.",
	.run = run,
};

static int run(struct cli *cli)
{
	char *argv[] = {NULL, (char[]){"-c"}, (char *)(uintptr_t)cli_value(cli, CLI_KEY_CONFIG, FCGIPM_CONFIG_FILE), NULL};
	struct fp_err err = {.code = 0};

	role_exec("launcher", argv, &err);
	return cli_say(cli, FCGIPM_EXIT_NO, "%s", err.text);
}
