/* fcgipm request: one FastCGI request to a pool, as a web server would send it (command line). */
#include "fcgipm/cli/commands.h"

#include <errno.h>
#include <fastcgi.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/text.h"
#include "fcgipm/base/units.h"
#include "fcgipm/cli/ask.h"
#include "fcgipm/cli/request_io.h"
#include "fcgipm/client/lease.h"

enum { ROLE = CLI_KEY_LONG, METHOD, DATA_FILE, TIMEOUT };

static int run(struct cli *cli);

const struct cli_command cmd_request = {
	.name = "request",
	.args = "POOL PATH",
	.min_args = 2,
	.max_args = 2,
	.brief = "send one request to a pool, for debugging and health checks",
	.help = "The body of the answer goes to standard output, what the application writes to\n"
		"its standard error there.  Ends with 0 when the answer is complete, its HTTP\n"
		"status below 400 and the application's own status 0; else with 1 and why.\n"
		"\n"
		"PATH is a script's path as the workers see it, or a route of the application,\n"
		"with ?QUERY if you like.  If there is such a file (below the pool's chroot) it is\n"
		"SCRIPT_NAME; else SCRIPT_NAME is empty and PATH is PATH_INFO.  SCRIPT_FILENAME is\n"
		"PATH in both cases.  -e overrides whatever you need otherwise.",
	.run = run,
	.options =
		(const struct cli_option[]){
			{'d', "data", "BODY", "send a body: the text, @FILE, or - for standard input"},
			{'e', "env", "K=V", "add a parameter, or override one; may be repeated"},
			{'i', "include", NULL, "print the head of the answer too"},
			{ROLE, "role", "ROLE", "responder (default), authorizer or filter"},
			{METHOD, "method", "M", "the method (default GET; with a body POST)"},
			{DATA_FILE, "data-file", "F", "what a filter is to filter"},
			{TIMEOUT, "timeout", "D", "give up after so long: 500ms, 10s, 1m (default: never)"},
			{0, NULL, NULL, NULL},
		},
};

static int read_role(const struct cli *cli, enum request_role *ret)
{
	static const char *const names[] = {[REQUEST_RESPONDER] = "responder", [REQUEST_AUTHORIZER] = "authorizer", [REQUEST_FILTER] = "filter"};
	const char *name = cli_value(cli, ROLE, names[REQUEST_RESPONDER]);

	for (int role = REQUEST_RESPONDER; role <= REQUEST_FILTER; role++) {
		if (strcmp(name, names[role]) == 0) {
			*ret = (enum request_role)role;
			return 0;
		}
	}
	return cli_usage(cli, "--role %s: responder, authorizer or filter", name);
}

static int read_timeout(const struct cli *cli, int64_t *ret_deadline_ms)
{
	const char *text = cli_value(cli, TIMEOUT, NULL);
	int64_t ms = 0;

	if (text != NULL && fp_parse_duration_ms(text, &ms) < 0)
		return cli_usage(cli, "--timeout %s: not a duration (500ms, 10s, 1m)", text);
	*ret_deadline_ms = ms > 0 ? fp_now_ms() + ms : INT64_MAX;
	return 0;
}

/* Whether the options fit together. */
static int read_options(const struct cli *cli, struct request *q)
{
	if (read_role(cli, &q->role) != 0 || read_timeout(cli, &q->deadline_ms) != 0)
		return FCGIPM_EXIT_USAGE;
	if ((q->role == REQUEST_FILTER) != cli_has(cli, DATA_FILE))
		return cli_usage(cli, "--role filter and --data-file go together");
	if (q->role == REQUEST_AUTHORIZER && cli_has(cli, 'd'))
		return cli_usage(cli, "an authorizer gets no body");
	for (unsigned i = 0; i < cli->given_count; i++) {
		const char *value = cli->given[i].value;

		if (cli->given[i].key == 'e' && (value[0] == '=' || strchr(value, '=') == NULL))
			return cli_usage(cli, "-e %s: not NAME=VALUE", value);
	}
	return 0;
}

static int open_bodies(const struct cli *cli, struct request *q)
{
	const char *body = cli_value(cli, 'd', NULL), *data = cli_value(cli, DATA_FILE, NULL);
	struct fp_err err = {.code = 0};

	if (body != NULL && request_body_open(body, &q->body, &err) < 0)
		return cli_say(cli, FCGIPM_EXIT_NO, "%s", err.text);
	if (data != NULL && request_body_open_file(data, &q->data, &err) < 0)
		return cli_say(cli, FCGIPM_EXIT_NO, "%s", err.text);
	return 0;
}

/* Where the workers look: below their chroot.  What cannot be seen from here is taken for a route. */
static bool is_script(const char *chroot, const char *target)
{
	char path[2 * PATH_MAX];
	struct fp_text t = FP_TEXT(path);
	struct stat st;

	fp_text_add(&t, "%s", chroot);
	fp_text_add_bytes(&t, target, strcspn(target, "?"));
	return !t.cut && target[0] == '/' && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static void set_extras(const struct cli *cli, struct request_params *p)
{
	for (unsigned i = 0; i < cli->given_count; i++) {
		const char *value = cli->given[i].value;
		char name[4096];
		struct fp_text t = FP_TEXT(name);

		if (cli->given[i].key != 'e')
			continue;
		fp_text_add_bytes(&t, value, strcspn(value, "="));
		if (t.cut)
			p->failed = true;
		else
			request_params_set(p, name, strchr(value, '=') + 1);
	}
}

static void make_params(const struct cli *cli, const struct request *q, const struct fcgipm_lease *lease, struct request_params *ret)
{
	const bool has_body = q->body.fd >= 0;
	const struct request_about about = {
		.role = q->role,
		.method = cli_value(cli, METHOD, has_body ? "POST" : "GET"),
		.target = cli->args[1],
		.script = is_script(lease->chroot, cli->args[1]),
		.has_body = has_body,
		.body_bytes = q->body.bytes,
		.data_bytes = q->data.bytes,
		.data_mtime = q->data.mtime,
	};

	request_params_init(ret, &about);
	set_extras(cli, ret);
}

/* The exit code, and the reason if it is not 0. */
static int judge(const struct cli *cli, const struct request *q, const struct request_end *end)
{
	static const char *const refusals[] = {
		[FCGI_CANT_MPX_CONN] = "it cannot multiplex connections (CANT_MPX_CONN)",
		[FCGI_OVERLOADED] = "it is overloaded (OVERLOADED)",
		[FCGI_UNKNOWN_ROLE] = "it does not know the role (UNKNOWN_ROLE)",
	};
	const char *wrong = request_answer_end(q->answer);

	if (end->protocol_status < 0 || end->protocol_status > FCGI_UNKNOWN_ROLE)
		return cli_say(cli, FCGIPM_EXIT_NO, "the application ends with the unknown protocol status %d", end->protocol_status);
	if (end->protocol_status != FCGI_REQUEST_COMPLETE)
		return cli_say(cli, FCGIPM_EXIT_NO, "the application refuses: %s", refusals[end->protocol_status]);
	if (wrong != NULL)
		return cli_say(cli, FCGIPM_EXIT_NO, "%s", wrong);
	if (q->answer->status >= 400)
		return cli_say(cli, FCGIPM_EXIT_NO, "HTTP status %d", q->answer->status);
	if (end->app_status != 0)
		return cli_say(cli, FCGIPM_EXIT_NO, "the application ends with status %u", end->app_status);
	return FCGIPM_EXIT_DONE;
}

static int connect_to(const struct cli *cli, const struct fcgipm_lease *lease, int64_t deadline_ms, int *ret_fd)
{
	struct fp_err err = {.code = 0};
	int64_t left = deadline_ms - fp_now_ms();

	if (lease_connect(lease, left > INT_MAX ? -1 : (int)(left > 0 ? left : 0), ret_fd, &err) < 0)
		return cli_say(cli, FCGIPM_EXIT_NO, "%s", err.text);
	return 0;
}

static int send_request(const struct cli *cli, const struct request *asked, const struct fcgipm_lease *lease)
{
	struct request_params params;
	struct request_answer answer;
	struct request q = *asked;
	struct request_end end;
	struct fp_err err = {.code = 0};
	fp_autoclose int fd = -1;
	int r = connect_to(cli, lease, q.deadline_ms, &fd);

	if (r != 0)
		return r;
	request_answer_init(&answer, cli->out, cli_has(cli, 'i'));
	make_params(cli, &q, lease, &params);
	q.params = &params;
	q.answer = &answer;
	q.err = cli->err;
	r = params.failed ? fp_fail(&err, ENOMEM, "too many parameters, or too long ones") : request_run(fd, &q, &end, &err);
	request_params_fini(&params);
	return r < 0 ? cli_say(cli, FCGIPM_EXIT_NO, "%s", err.text) : judge(cli, &q, &end);
}

/* The manager is asked for the lease alone; the request goes past it. */
static int take_lease(const struct cli *cli, int64_t deadline_ms, struct fcgipm_lease *ret)
{
	struct fp_err err = {.code = 0};
	struct ask ask;
	int r;

	if (ask_open(&ask, cli) == NULL)
		return ask.code;
	r = lease_take(ask.client, cli->args[0], deadline_ms, ret, &err);
	client_close(&ask.client);
	if (r == 0)
		return FCGIPM_EXIT_DONE;
	return cli_say(cli, r == -ECONNRESET ? FCGIPM_EXIT_NO_MANAGER : FCGIPM_EXIT_NO, "%s", err.text);
}

static int run(struct cli *cli)
{
	struct request q = {.body.fd = -1, .data.fd = -1};
	struct fcgipm_lease lease;
	int code = read_options(cli, &q);

	if (code == 0)
		code = open_bodies(cli, &q);
	if (code == 0)
		code = take_lease(cli, q.deadline_ms, &lease);
	if (code == 0) {
		code = send_request(cli, &q, &lease);
		lease_release(&lease);
	}
	request_body_close(&q.body);
	request_body_close(&q.data);
	return code;
}
