/* fcgipm scale: other bounds for a pool's workers, until a reload changes those keys (command line). */
#include "fcgipm/cli/commands.h"

#include "fcgipm/base/units.h"
#include "fcgipm/cli/ask.h"

enum { MIN = CLI_KEY_NO_WAIT + 1, MAX };

static int run(struct cli *cli);

const struct cli_command cmd_scale = {
	.name = "scale",
	.args = "POOL",
	.min_args = 1,
	.max_args = 1,
	.brief = "change how many workers a pool has",
	.help = "Done when the new least are ready; lowering is done at once.\n"
		"It holds until the next reload that changes those keys, also when the manager is replaced.",
	.run = run,
	.options =
		(const struct cli_option[]){
			{MIN, "min", "N", "the least workers"},
			{MAX, "max", "N", "the most workers"},
			CLI_OPTION_NO_WAIT,
			{0, NULL, NULL, NULL},
		},
};

/* *ret is -1 when it was not given.  0 or a usage error. */
static int number(const struct cli *cli, int key, const char *name, int32_t *ret)
{
	const char *text = cli_value(cli, key, NULL);
	uint64_t value;

	if (text == NULL)
		return 0;
	if (fp_parse_u64(text, &value) < 0 || value > INT32_MAX)
		return cli_usage(cli, "--%s %s: not a number of workers", name, text);
	*ret = (int32_t)value;
	return 0;
}

static int run(struct cli *cli)
{
	struct wire_c_scale scale = {.pool = cli->args[0], .min = -1, .max = -1, .no_wait = cli_has(cli, CLI_KEY_NO_WAIT)};
	struct ask ask;
	struct wire_wr *w;

	if (number(cli, MIN, "min", &scale.min) != 0 || number(cli, MAX, "max", &scale.max) != 0)
		return FCGIPM_EXIT_USAGE;
	if (scale.min < 0 && scale.max < 0)
		return cli_usage(cli, "scale needs --min N or --max N");
	if (scale.max >= 0 && scale.min > scale.max)
		return cli_usage(cli, "--min %d exceeds --max %d", scale.min, scale.max);
	w = ask_begin(&ask, cli, WIRE_C_SCALE);
	if (w == NULL)
		return ask.code;
	wire_put_c_scale(w, &scale);
	return ask_finish(&ask);
}
