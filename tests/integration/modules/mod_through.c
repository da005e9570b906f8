/* A module of somebody else's, for the tests: ThroughProgram PROFILE /PROGRAM [ARGUMENT...] sends answers through a program, by mod_fcgipm's optional function.
 * It collects the answer, and moves bytes both ways by poll(); PROFILE "-" is what FcgipmExecProfile says. */
#include <httpd.h>
#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <http_config.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <util_filter.h>

#include "include/fcgipm/httpd.h"

module AP_MODULE_DECLARE_DATA through_module;

static APR_OPTIONAL_FN_TYPE(fcgipm_exec) * exec;
static APR_OPTIONAL_FN_TYPE(fcgipm_exec_wait) * wait_for_end;
static APR_OPTIONAL_FN_TYPE(fcgipm_exec_cancel) * cancel;
static ap_filter_rec_t *registered;

struct config {
	const char *profile;
	const char *const *argv;
	int give_up; /* cancels instead of reading */
};

static void *make(apr_pool_t *p, char *dir)
{
	(void)dir;
	return apr_pcalloc(p, sizeof(struct config));
}

static const char *set_program(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
	struct config *c = dir;
	const char **args = apr_pcalloc(cmd->pool, (size_t)argc * sizeof(*args));

	if (argc < 2)
		return "ThroughProgram PROFILE /PROGRAM [ARGUMENT...]";
	for (int i = 1; i < argc; i++)
		args[i - 1] = apr_pstrdup(cmd->pool, argv[i]);
	c->profile = apr_pstrdup(cmd->pool, argv[0]);
	c->argv = args;
	return NULL;
}

static const char *set_give_up(cmd_parms *cmd, void *dir, int on)
{
	(void)cmd;
	((struct config *)dir)->give_up = on;
	return NULL;
}

static const command_rec commands[] = {
	AP_INIT_TAKE_ARGV("ThroughProgram", set_program, NULL, ACCESS_CONF, "profile and program"),
	AP_INIT_FLAG("ThroughGiveUp", set_give_up, NULL, ACCESS_CONF, "cancel it at once"),
	{.name = NULL},
};

static void close_end(struct fcgipm_httpd_run *run, int which)
{
	close(run->stdio[which]);
	run->stdio[which] = -1;
}

/* All of it through the program, into out. */
static void move(struct fcgipm_httpd_run *run, const char *at, apr_size_t len, apr_bucket_brigade *out)
{
	char buf[8192];

	fcntl(run->stdio[0], F_SETFL, O_WRONLY | O_NONBLOCK);
	while (run->stdio[1] >= 0) {
		struct pollfd p[] = {{.fd = len > 0 ? run->stdio[0] : -1, .events = POLLOUT}, {.fd = run->stdio[1], .events = POLLIN}};
		ssize_t n;

		if (len == 0 && run->stdio[0] >= 0)
			close_end(run, 0);
		if (poll(p, 2, 20000) <= 0)
			return;
		if (p[0].revents != 0) {
			n = write(run->stdio[0], at, len);
			at += n > 0 ? n : 0;
			len = n > 0 ? len - (apr_size_t)n : n < 0 && errno != EAGAIN ? 0 : len;
		}
		if (p[1].revents == 0)
			continue;
		n = read(run->stdio[1], buf, sizeof(buf));
		if (n > 0)
			apr_brigade_write(out, NULL, NULL, buf, (apr_size_t)n);
		else
			close_end(run, 1);
	}
}

static apr_status_t through(ap_filter_t *f, char *text, apr_size_t len, apr_bucket_brigade *out)
{
	const struct config *c = ap_get_module_config(f->r->per_dir_config, &through_module);
	const struct fcgipm_program what = {.profile = strcmp(c->profile, "-") == 0 ? NULL : c->profile, .argv = c->argv, .stdio = {-1, -1, STDERR_FILENO}};
	struct fcgipm_httpd_run *run;
	struct fcgipm_end end = {.status = 0};
	const char *why = "";
	apr_status_t rv = exec == NULL ? APR_ENOTIMPL : exec(f->r, &what, apr_time_from_sec(10), &run, &why);

	if (rv != APR_SUCCESS) {
		ap_log_rerror(APLOG_MARK, APLOG_ERR, rv, f->r, "through: %d: %s", rv, why);
		return apr_brigade_printf(out, NULL, NULL, "no: %s", why);
	}
	if (c->give_up)
		cancel(run);
	else
		move(run, text, len, out);
	rv = wait_for_end(run, apr_time_from_sec(10), &end);
	ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, f->r, "through: pid %d ended: %d, status %d, signal %d, why %d", run->pid, rv, WEXITSTATUS(end.status),
		      WTERMSIG(end.status), end.why);
	return APR_SUCCESS;
}

static apr_status_t filter(ap_filter_t *f, apr_bucket_brigade *bb)
{
	apr_bucket_alloc_t *alloc = f->c->bucket_alloc;
	char *text;
	apr_size_t len;

	if (f->ctx == NULL)
		f->ctx = apr_brigade_create(f->r->pool, alloc);
	ap_save_brigade(f, (apr_bucket_brigade **)&f->ctx, &bb, f->r->pool);
	bb = f->ctx;
	if (APR_BRIGADE_EMPTY(bb) || !APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(bb)))
		return APR_SUCCESS;
	apr_brigade_pflatten(bb, &text, &len, f->r->pool);
	apr_brigade_cleanup(bb);
	apr_table_unset(f->r->headers_out, "Content-Length");
	through(f, text, len, bb);
	APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(alloc));
	ap_remove_output_filter(f);
	return ap_pass_brigade(f->next, bb);
}

static void insert(request_rec *r)
{
	const struct config *c = ap_get_module_config(r->per_dir_config, &through_module);

	if (c->argv != NULL)
		ap_add_output_filter_handle(registered, NULL, r, r->connection);
}

static void retrieve(void)
{
	exec = APR_RETRIEVE_OPTIONAL_FN(fcgipm_exec);
	wait_for_end = APR_RETRIEVE_OPTIONAL_FN(fcgipm_exec_wait);
	cancel = APR_RETRIEVE_OPTIONAL_FN(fcgipm_exec_cancel);
}

static void hooks(apr_pool_t *p)
{
	(void)p;
	registered = ap_register_output_filter("THROUGH", filter, NULL, AP_FTYPE_RESOURCE);
	ap_hook_insert_filter(insert, NULL, NULL, APR_HOOK_LAST);
	ap_hook_optional_fn_retrieve(retrieve, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(through) = {
	STANDARD20_MODULE_STUFF, make, NULL, NULL, NULL, commands, hooks,
#if defined(AP_MODULE_FLAG_NONE)
	AP_MODULE_FLAG_NONE,
#endif
};
