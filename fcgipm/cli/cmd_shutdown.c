/* fcgipm shutdown: ends fcgipm (command line). */
#include "fcgipm/cli/commands.h"

#include "fcgipm/cli/ask.h"

enum { NOW = CLI_KEY_LONG };

static int run(struct cli *cli);

const struct cli_command cmd_shutdown = {
	.name = "shutdown",
	.args = "",
	.brief = "end fcgipm: requests that wait and run are finished first",
	.help = "",
	.run = run,
	.options =
		(const struct cli_option[]){
			{NOW, "now", NULL, "do not wait for what is queued"},
			{0, NULL, NULL, NULL},
		},
};

static int run(struct cli *cli)
{
	const struct wire_c_shutdown how = {.now = cli_has(cli, NOW)};
	struct ask ask;
	struct wire_wr *w = ask_begin(&ask, cli, WIRE_C_SHUTDOWN);

	if (w == NULL)
		return ask.code;
	wire_put_c_shutdown(w, &how);
	return ask_finish(&ask);
}
