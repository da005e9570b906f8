/* fcgipm reload: the running manager's conf judges the file again (command line). */
#include "fcgipm/cli/commands.h"

#include "fcgipm/cli/ask.h"

static int run(struct cli *cli);

const struct cli_command cmd_reload = {
	.name = "reload",
	.args = "",
	.brief = "read the configuration again and replace what changed",
	.help = "Done when no old worker can accept any more.  Only pools that differ are touched.\n"
		"A file with errors changes nothing: they are printed, and it ends with 78.",
	.run = run,
	.options = (const struct cli_option[]){CLI_OPTION_NO_WAIT, {0, NULL, NULL, NULL}},
};

static int run(struct cli *cli)
{
	const struct wire_c_reload reload = {.no_wait = cli_has(cli, CLI_KEY_NO_WAIT)};
	struct ask ask;
	struct wire_wr *w = ask_begin(&ask, cli, WIRE_C_RELOAD);

	if (w == NULL)
		return ask.code;
	wire_put_c_reload(w, &reload);
	return ask_finish(&ask);
}
