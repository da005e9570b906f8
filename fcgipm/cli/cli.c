/* Parses, then runs the command (command line). */
#include "fcgipm/cli/cli.h"

#include <errno.h>
#include <string.h>

static int run(struct cli *cli, int argc, char **argv)
{
	int r = cli_parse(cli, argc, argv);

	if (r != 0)
		return r;
	if (!cli_has(cli, CLI_KEY_HELP))
		return cli->command->run(cli);
	if (cli->command != NULL)
		cli_help_command(cli->out, cli->command);
	else
		cli_help_all(cli->out);
	return FCGIPM_EXIT_DONE;
}

int cli_main(struct cli *cli, int argc, char **argv)
{
	int code = run(cli, argc, argv);

	/* An answer that was lost on a full disk is no success. */
	if (fflush(cli->out) != 0 || ferror(cli->out))
		return cli_say(cli, code != FCGIPM_EXIT_DONE ? code : FCGIPM_EXIT_NO, "cannot write the answer: %s", strerror(errno));
	return code;
}
