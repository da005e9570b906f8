/* fcgipm start: a pool that was stopped, or has failed, runs again (command line). */
#include "fcgipm/cli/commands.h"

#include "fcgipm/cli/ask.h"

static int run(struct cli *cli);

const struct cli_command cmd_start = {
	.name = "start",
	.args = "POOL",
	.min_args = 1,
	.max_args = 1,
	.brief = "run a pool that was stopped or has failed",
	.help = "Done when its least workers are ready.",
	.run = run,
	.options = (const struct cli_option[]){CLI_OPTION_NO_WAIT, {0, NULL, NULL, NULL}},
};

static int run(struct cli *cli)
{
	return ask_pool(cli, WIRE_C_START);
}
