/* The list of commands, in the order of the help. */
#include "fcgipm/cli/commands.h"

#include <string.h>

#include "fcgipm/cli/near.h"

const struct cli_command *const cli_commands[] = {
	&cmd_run,   &cmd_check,   &cmd_status, &cmd_top,      &cmd_reload, &cmd_restart, &cmd_scale, &cmd_stop,
	&cmd_start, &cmd_request, &cmd_exec,   &cmd_shutdown, &cmd_import, &cmd_version, NULL,
};

const struct cli_option cli_common_options[] = {
	{CLI_KEY_CONFIG, "config", "FILE", "the configuration (default " FCGIPM_CONFIG_FILE ")"},
	{CLI_KEY_SOCKET, "socket", "SOCKET", "the control socket (default: where the configuration says)"},
	{CLI_KEY_HELP, "help", NULL, "this help"},
	{0, NULL, NULL, NULL},
};

const struct cli_command *cli_find_command(const char *name, const char **ret_near)
{
	struct near near = {.word = name};

	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		if (strcmp(name, cli_commands[i]->name) == 0)
			return cli_commands[i];
		near_try(&near, cli_commands[i]->name);
	}
	*ret_near = near.best;
	return NULL;
}
