/* fcgipm restart: every worker of a pool is replaced (command line). */
#include "fcgipm/cli/commands.h"

#include "fcgipm/cli/ask.h"

static int run(struct cli *cli);

const struct cli_command cmd_restart = {
	.name = "restart",
	.args = "POOL",
	.min_args = 1,
	.max_args = 1,
	.brief = "replace every worker of a pool, losing no request",
	.help = "New workers accept before old ones retire.  Done when no old worker can accept any more.\n"
		"If the new ones do not come up the old ones stay, and it ends with 1 and the reason.",
	.run = run,
	.options = (const struct cli_option[]){CLI_OPTION_NO_WAIT, {0, NULL, NULL, NULL}},
};

static int run(struct cli *cli)
{
	return ask_pool(cli, WIRE_C_RESTART);
}
