/* fcgipm status: what the manager knows of its pools, as a table, in detail or as JSON (command line). */
#include "fcgipm/cli/commands.h"

#include "fcgipm/base/fd.h"
#include "fcgipm/cli/ask.h"
#include "fcgipm/client/render.h"

enum { JSON = CLI_KEY_LONG };

static int run(struct cli *cli);

const struct cli_command cmd_status = {
	.name = "status",
	.args = "[POOL]",
	.max_args = 1,
	.brief = "show the pools, or everything about one",
	.help = "It answers when every worker is busy: the manager is asked, not the applications.",
	.run = run,
	.options =
		(const struct cli_option[]){
			{JSON, "json", NULL, "one JSON object; unknown is null"},
			{0, NULL, NULL, NULL},
		},
};

static void render(const struct cli *cli, struct fp_doc *d, const struct snapshot *s)
{
	if (cli_has(cli, JSON))
		render_json(d, s);
	else if (cli->arg_count > 0)
		render_detail(d, s);
	else
		render_table(d, s);
}

static int show(const struct cli *cli, int fd)
{
	struct snapshot s;
	struct fp_doc d = {.at = NULL};
	struct fp_err err = {.code = 0};
	int code = FCGIPM_EXIT_DONE;

	if (snapshot_open(fd, &s, &err) < 0)
		return cli_say(cli, FCGIPM_EXIT_NO, "%s", err.text);
	render(cli, &d, &s);
	if (d.failed)
		code = cli_say(cli, FCGIPM_EXIT_NO, "out of memory");
	else
		fwrite(d.at, 1, d.len, cli->out);
	fp_doc_fini(&d);
	snapshot_free(&s);
	return code;
}

static int run(struct cli *cli)
{
	const struct wire_c_pool pool = {.pool = cli->arg_count > 0 ? cli->args[0] : ""};
	fp_autoclose int fd = -1;
	struct ask ask;
	struct wire_wr *w = ask_begin(&ask, cli, WIRE_C_STATUS);

	if (w == NULL)
		return ask.code;
	wire_put_c_pool(w, &pool);
	if (ask_finish_fd(&ask, &fd) != FCGIPM_EXIT_DONE)
		return ask.code;
	return show(cli, fd);
}
