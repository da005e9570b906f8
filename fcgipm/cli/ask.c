/* One request to the manager (command line).  Notes and refusals go to standard error, what was asked for to standard
 * output. */
#include "fcgipm/cli/ask.h"

#include <errno.h>
#include <limits.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/cli/where.h"
#include "fcgipm/client/term.h"

const char *ask_path(const struct cli *cli, char *buf, size_t cap)
{
	const struct where where = where_from_environment(cli_value(cli, CLI_KEY_SOCKET, NULL), cli_value(cli, CLI_KEY_CONFIG, NULL));

	return where_control(&where, buf, cap);
}

struct fcgipm_client *ask_open_at(struct ask *ask, const struct cli *cli, const char *path)
{
	struct fp_err err = {.code = 0};
	int r;

	*ask = (struct ask){.cli = cli};
	r = client_open(path, &ask->client, &err);
	if (r == 0)
		return ask->client;
	ask->code = cli_say(cli, r == -EACCES || r == -EPERM ? FCGIPM_EXIT_NO : FCGIPM_EXIT_NO_MANAGER, "%s", err.text);
	return NULL;
}

struct fcgipm_client *ask_open(struct ask *ask, const struct cli *cli)
{
	char buf[PATH_MAX];

	return ask_open_at(ask, cli, ask_path(cli, buf, sizeof(buf)));
}

struct wire_wr *ask_begin(struct ask *ask, const struct cli *cli, uint16_t type)
{
	return ask_open(ask, cli) != NULL ? client_begin(ask->client, type) : NULL;
}

static void print(FILE *to, const char *text)
{
	struct fp_doc d = {.at = NULL};

	term_add(&d, text, true);
	if (d.len > 0)
		fprintf(to, "%s%s", d.at, d.at[d.len - 1] != '\n' ? "\n" : "");
	fp_doc_fini(&d);
}

static void on_note(void *ctx, const char *text)
{
	print(ctx, text);
	fflush(ctx);
}

static int lost(const struct cli *cli, int r, const struct fp_err *err)
{
	if (r == -ECONNRESET)
		return cli_say(cli, FCGIPM_EXIT_NO_MANAGER, "%s; what it has begun goes on, fcgipm status shows it", err->text);
	return cli_say(cli, r == -EMSGSIZE ? FCGIPM_EXIT_USAGE : FCGIPM_EXIT_NO_MANAGER, "%s", err->text);
}

int ask_finish_fd(struct ask *ask, int *ret_fd)
{
	const struct client_wait wait = {.deadline_ms = CLIENT_FOREVER, .note = on_note, .ctx = ask->cli->err};
	struct client_answer answer = {.fd = -1};
	struct fp_err err = {.code = 0};
	int r = client_call(ask->client, &wait, &answer, &err);

	if (r < 0) {
		ask->code = lost(ask->cli, r, &err);
	} else {
		ask->code = answer.code <= UCHAR_MAX ? (int)answer.code : FCGIPM_EXIT_NO;
		print(ask->code == FCGIPM_EXIT_DONE ? ask->cli->out : ask->cli->err, answer.text);
	}
	client_close(&ask->client);
	*ret_fd = FP_TAKE_FD(answer.fd);
	return ask->code;
}

int ask_finish(struct ask *ask)
{
	fp_autoclose int fd = -1;

	return ask_finish_fd(ask, &fd);
}

int ask_pool(const struct cli *cli, uint16_t type)
{
	const struct wire_c_pool pool = {.pool = cli->args[0], .no_wait = cli_has(cli, CLI_KEY_NO_WAIT)};
	struct ask ask;
	struct wire_wr *w = ask_begin(&ask, cli, type);

	if (w == NULL)
		return ask.code;
	wire_put_c_pool(w, &pool);
	return ask_finish(&ask);
}
