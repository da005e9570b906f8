/* fcgipm version (command line). */
#include "fcgipm/cli/commands.h"

static int run(struct cli *cli);

const struct cli_command cmd_version = {
	.name = "version",
	.args = "",
	.brief = "print the version of this program",
	.help = "The running manager's is in fcgipm status.",
	.run = run,
};

static int run(struct cli *cli)
{
	fputs("fcgipm " FCGIPM_VERSION "\n", cli->out);
	return FCGIPM_EXIT_DONE;
}
