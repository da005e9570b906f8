/* CGI programs (runs in httpd's children).  What is asked of a script before it is run is what mod_cgi asks, in that order; what the file must be is the
 * broker's to look at, which does it once more than httpd's own stat(). */
#include "mod_fcgipm/cgi.h"

#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_cgi.h>
#include <string.h>
#include <util_script.h>

#include "mod_fcgipm/config.h"
#include "mod_fcgipm/module.h"
#include "mod_fcgipm/params.h"
#include "mod_fcgipm/run.h"
#include "mod_fcgipm/script_log.h"

APLOG_USE_MODULE(fcgipm);

#define HANDLERS "fcgipm" /* what the names of all of ours begin with */

enum { WORDS_MAX = 1024 };

/* ---- what is not run ---- */

/* X(NAME, log id, HTTP status, text) */
#define OBJECTIONS(X)                                                                                                                                          \
	X(NO_PROFILE, "FP0331", HTTP_INTERNAL_SERVER_ERROR, "handler " CGI_HANDLER " without FcgipmExecProfile")                                               \
	X(EXECCGI, "FP0332", HTTP_FORBIDDEN, "Options ExecCGI is off in this directory")                                                                       \
	X(NPH_INCLUDED, "FP0333", HTTP_FORBIDDEN, "attempt to include NPH CGI script")                                                                         \
	X(NO_FILE, "FP0334", HTTP_NOT_FOUND, "script not found or unable to stat")                                                                             \
	X(DIRECTORY, "FP0335", HTTP_FORBIDDEN, "attempt to invoke directory as script")                                                                        \
	X(PATH_INFO, "FP0336", HTTP_NOT_FOUND, "AcceptPathInfo off disallows user's path")                                                                     \
	X(NOBODYS, "FP0337", HTTP_INTERNAL_SERVER_ERROR, "a CGI program where no FcgipmExecProfile is set, and no other module that runs it")                  \
	X(NO_HANDLER, "FP0338", HTTP_INTERNAL_SERVER_ERROR, "no handler: fcgipm:POOL and " CGI_HANDLER " are mod_fcgipm's")

#define OBJECTION_ENUM(NAME, ...) OBJECTION_##NAME,
enum objection { OBJECTIONS(OBJECTION_ENUM) OBJECTION_NONE };

static bool is_script_aliased(const request_rec *r)
{
	const char *type = apr_table_get(r->notes, "alias-forced-type");

	return type != NULL && strcasecmp(type, "cgi-script") == 0;
}

static bool is_unparsed(const request_rec *r)
{
	const char *name = strrchr(r->filename, '/');

	return strncmp(name != NULL ? name + 1 : r->filename, "nph-", 4) == 0;
}

static enum objection judge(const request_rec *r)
{
	if (config_of(r)->exec == NULL)
		return OBJECTION_NO_PROFILE;
	if ((ap_allow_options((request_rec *)(uintptr_t)r) & OPT_EXECCGI) == 0 && !is_script_aliased(r))
		return OBJECTION_EXECCGI;
	if (is_unparsed(r) && strcmp(r->protocol, "INCLUDED") == 0)
		return OBJECTION_NPH_INCLUDED;
	if (r->finfo.filetype == APR_NOFILE)
		return OBJECTION_NO_FILE;
	if (r->finfo.filetype == APR_DIR)
		return OBJECTION_DIRECTORY;
	if (r->used_path_info == AP_REQ_REJECT_PATH_INFO && r->path_info != NULL && *r->path_info != '\0')
		return OBJECTION_PATH_INFO;
	return OBJECTION_NONE;
}

static int object(request_rec *r, enum objection o)
{
	static const struct {
		const char *id;
		int status;
		const char *text;
	} rows[] = {
#define OBJECTION_ROW(NAME, id, status, text) {id, status, text},
		OBJECTIONS(OBJECTION_ROW)};

	ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "%s: %s: %s", rows[o].id, rows[o].text, r->filename);
	script_log_error(r, rows[o].status, rows[o].text, strlen(rows[o].text));
	return rows[o].status;
}

/* ---- what is run ---- */

/* A query without "=" is words (RFC 3875, 4.4), with a backslash before what means something to a shell: scripts have relied on it for as long as there is CGI. */
static const char *const *make_argv(request_rec *r, const char *root)
{
	const char *args = r->args != NULL ? r->args : "";
	size_t words = *args == '\0' || strchr(args, '=') != NULL ? 0 : 1, i;
	const char **argv;

	for (const char *s = args; words > 0 && words < WORDS_MAX && *s != '\0'; s++)
		words += *s == '+';
	argv = apr_pcalloc(r->pool, (words + 2) * sizeof(*argv));
	argv[0] = params_below(root, r->filename);
	for (i = 1; i <= words; i++) {
		char *word = ap_getword_nulls(r->pool, &args, '+');

		ap_unescape_url(word);
		argv[i] = ap_escape_shell_cmd(r->pool, word);
	}
	return argv;
}

static const char *const *make_envp(request_rec *r, const char *root)
{
	apr_table_t *env = r->subprocess_env;

	ap_add_common_vars(r);
	ap_add_cgi_vars(r);
	if (*root != '\0') {
		env = apr_table_copy(r->pool, env);
		params_map_paths(env, root);
	}
	return (const char *const *)ap_create_environment(r->pool, env);
}

static bool is_program(const char *handler)
{
	return strcmp(handler, "cgi-script") == 0 || strcmp(handler, CGI_MAGIC_TYPE) == 0;
}

static bool is_ours(const request_rec *r)
{
	if (r->handler == NULL)
		return false;
	return strcmp(r->handler, CGI_HANDLER) == 0 || (config_of(r)->exec != NULL && is_program(r->handler));
}

static int respond(request_rec *r)
{
	/* A stream of HTTP/2 has no connection of its own that could carry an unparsed head. */
	enum answer_use use = r->filename != NULL && is_unparsed(r) && r->connection->master == NULL ? ANSWER_IS_UNPARSED : ANSWER_IS_RESPONSE;
	const char *root = config_of(r)->chroot_prefix != NULL ? config_of(r)->chroot_prefix : "";
	enum objection o;
	struct run *run;
	int status;

	if (!is_ours(r))
		return DECLINED;
	o = judge(r);
	if (o != OBJECTION_NONE)
		return object(r, o);
	status = run_begin(&run, r,
			   &(const struct run_wish){.profile = config_of(r)->exec,
						    .argv = make_argv(r, root),
						    .envp = make_envp(r, root),
						    .about = r->filename,
						    .input = RUN_READS_BODY,
						    .answer = {.use = use, .root = root}});
	if (status != OK)
		return status;
	run_wait(run);
	return run_end(run);
}

/* Nobody has answered, and httpd's core would send the file: its source, where a program was meant. */
static int refuse(request_rec *r)
{
	if (r->handler == NULL || r->finfo.filetype != APR_REG)
		return DECLINED;
	if (strncmp(r->handler, HANDLERS, strlen(HANDLERS)) == 0)
		return object(r, OBJECTION_NO_HANDLER);
	return is_program(r->handler) && config_has_profiles() ? object(r, OBJECTION_NOBODYS) : DECLINED;
}

void cgi_register(apr_pool_t *p)
{
	static const char *const before[] = {"mod_cgi.c", "mod_cgid.c", NULL}, *const behind[] = {"mod_actions.c", NULL};

	(void)p;
	ap_hook_handler(respond, NULL, before, APR_HOOK_MIDDLE);
	ap_hook_handler(refuse, behind, NULL, APR_HOOK_LAST);
}
