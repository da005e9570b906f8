/* fcgipm stop: a pool runs no workers until it is started (command line). */
#include "fcgipm/cli/commands.h"

#include "fcgipm/cli/ask.h"

static int run(struct cli *cli);

const struct cli_command cmd_stop = {
	.name = "stop",
	.args = "POOL",
	.min_args = 1,
	.max_args = 1,
	.brief = "let a pool's workers finish and run none",
	.help = "Its socket stays: connections wait in the queue until fcgipm start.",
	.run = run,
	.options = (const struct cli_option[]){CLI_OPTION_NO_WAIT, {0, NULL, NULL, NULL}},
};

static int run(struct cli *cli)
{
	return ask_pool(cli, WIRE_C_STOP);
}
