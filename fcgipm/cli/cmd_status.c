/* fcgipm status: what the manager knows of its pools, as a table, in detail or as JSON, once or again and again (command line). */
#include "fcgipm/cli/commands.h"

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/cli/ask.h"
#include "fcgipm/cli/pick.h"
#include "fcgipm/cli/terminal.h"
#include "fcgipm/cli/watch.h"
#include "fcgipm/client/openmetrics.h"
#include "fcgipm/client/render.h"
#include "fcgipm/view/table.h"

enum { JSON = CLI_KEY_LONG, OPENMETRICS, WATCH = 'w' };

static int run(struct cli *cli);

const struct cli_command cmd_status = {
	.name = "status",
	.args = "[POOL]",
	.max_args = 1,
	.brief = "show the pools, or everything about one",
	.help = "It answers when every worker is busy: the manager is asked, not the applications.\n"
		"On a terminal the table is as wide as that, with colours unless NO_COLOR is set;\n"
		"anywhere else it is whole and plain.",
	.run = run,
	.options =
		(const struct cli_option[]){
			{JSON, "json", NULL, "one JSON object; unknown is null"},
			{OPENMETRICS, "openmetrics", NULL, "OpenMetrics text, for Prometheus and the like"},
			{WATCH, "watch", "[SECONDS]", "again and again, every 2 seconds if not said otherwise"},
			PICK_OPTIONS,
			{0, NULL, NULL, NULL},
		},
};

static void render(const struct cli *cli, struct fp_doc *d, const struct view *v, const struct table_style *style)
{
	if (cli_has(cli, JSON))
		render_json(d, &v->now);
	else if (cli_has(cli, OPENMETRICS))
		openmetrics_render(d, &v->now);
	else if (cli->arg_count > 0)
		render_detail(d, &v->now);
	else
		table_render(d, v, style);
}

static int show(const struct cli *cli, struct view *v)
{
	struct table_style style = {.colour = terminal_has_colour(cli->out)};
	struct fp_doc d = {.at = NULL};
	int code = FCGIPM_EXIT_DONE;
	size_t lines;

	if (terminal_is(cli->out))
		terminal_size(cli->out, &style.width, &lines);
	render(cli, &d, v, &style);
	if (d.failed)
		code = cli_say(cli, FCGIPM_EXIT_NO, "out of memory");
	else
		fwrite(d.at, 1, d.len, cli->out);
	fp_doc_fini(&d);
	return code;
}

static int once(const struct cli *cli, const char *name, struct view *v)
{
	fp_autoclose int fd = -1;
	struct fp_err err = {.code = 0};
	struct snapshot s;
	struct ask ask;
	struct wire_wr *w = ask_begin(&ask, cli, WIRE_C_STATUS);
	int code;

	if (w == NULL)
		return ask.code;
	wire_put_c_pool(w, &(const struct wire_c_pool){.pool = name});
	if (ask_finish_fd(&ask, &fd) != FCGIPM_EXIT_DONE)
		return ask.code;
	if (snapshot_open(fd, &s, &err) < 0)
		return cli_say(cli, FCGIPM_EXIT_NO, "%s", err.text);
	if (view_take(v, &s, fp_now_ms()) < 0)
		return cli_say(cli, FCGIPM_EXIT_NO, "out of memory");
	code = show(cli, v);
	view_fini(v);
	return code;
}

static int run(struct cli *cli)
{
	struct watch w = {
		.cli = cli,
		.pool = cli->arg_count > 0 ? cli->args[0] : "",
		.bare = cli_has(cli, JSON),
		.render = render,
	};

	if (cli_has(cli, OPENMETRICS) && (cli_has(cli, JSON) || cli_has(cli, WATCH)))
		return cli_usage(cli, "--openmetrics stands alone: it is asked for again and again by whoever reads it");
	if (pick_given(cli) && (cli_has(cli, JSON) || cli_has(cli, OPENMETRICS) || cli->arg_count > 0))
		return cli_usage(cli, "--sort, --reverse, --filter and --trouble are for the table");
	if (pick_read(cli, &w.view) != 0 || watch_interval(cli, cli_value(cli, WATCH, NULL), &w.interval_ms) != 0)
		return FCGIPM_EXIT_USAGE;
	terminal_locale();
	return cli_has(cli, WATCH) ? watch_run(&w) : once(cli, w.pool, &w.view);
}
