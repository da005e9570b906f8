/* Directives: one row each (runs in httpd). */
#include "mod_fcgipm/config.h"

#include <apr_strings.h>
#include <ctype.h>
#include <http_core.h>
#include <http_log.h>
#include <stdlib.h>
#include <string.h>

#include "include/fcgipm/protocol.h"
#include "mod_fcgipm/module.h"

APLOG_USE_MODULE(fcgipm);

#define HANDLER_PREFIX "fcgipm:"

enum {
	NAME_PART_MAX = 63,
	SCRIPT_LOG_LENGTH = 10385760, /* mod_cgi's defaults */
	SCRIPT_LOG_BUFFER = 1024,
};

void *config_server_make(apr_pool_t *p, server_rec *s)
{
	struct server_config *c = apr_pcalloc(p, sizeof(*c));

	(void)s;
	c->script_log_length = SCRIPT_LOG_LENGTH;
	c->script_log_buffer = SCRIPT_LOG_BUFFER;
	return c;
}

void *config_server_merge(apr_pool_t *p, void *base_, void *add_)
{
	const struct server_config *base = base_, *add = add_;
	struct server_config *c = apr_pmemdup(p, add, sizeof(*add));

	if (c->control == NULL)
		c->control = base->control;
	if (c->script_log == NULL) {
		c->script_log = base->script_log;
		c->script_log_length = base->script_log_length;
		c->script_log_buffer = base->script_log_buffer;
	}
	return c;
}

void *config_dir_make(apr_pool_t *p, char *dir)
{
	struct dir_config *c = apr_pcalloc(p, sizeof(*c));

	(void)dir;
	c->timeout = -1;
	c->max_waiting = -1;
	return c;
}

#define INHERIT(field, unset)                                                                                                                                  \
	if (c->field == (unset))                                                                                                                               \
		c->field = base->field;

void *config_dir_merge(apr_pool_t *p, void *base_, void *add_)
{
	const struct dir_config *base = base_, *add = add_;
	struct dir_config *c = apr_pmemdup(p, add, sizeof(*add));

	INHERIT(pool, NULL)
	INHERIT(timeout, -1)
	INHERIT(max_waiting, -1)
	INHERIT(flush, FLUSH_UNSET)
	INHERIT(chroot_prefix, NULL)
	INHERIT(sendfile, NULL)
	INHERIT(authenticator, NULL)
	INHERIT(authorizer, NULL)
	INHERIT(access_checker, NULL)
	INHERIT(filter, NULL)
	INHERIT(exec, NULL)
	INHERIT(ext_filter, NULL)
	return c;
}

/* ---- names ---- */

static size_t name_part(const char *s)
{
	size_t n = 0;

	if (!islower((unsigned char)*s) && !isdigit((unsigned char)*s))
		return 0;
	while (islower((unsigned char)s[n]) || isdigit((unsigned char)s[n]) || (s[n] != '\0' && strchr("._-", s[n]) != NULL))
		n++;
	return n > NAME_PART_MAX ? 0 : n;
}

bool config_is_pool_name(const char *s)
{
	size_t n = name_part(s);

	if (n > 0 && s[n] == '@') {
		s += n + 1;
		n = name_part(s);
	}
	return n > 0 && s[n] == '\0';
}

const char *config_handler_pool(const char *handler)
{
	if (handler == NULL || strncmp(handler, HANDLER_PREFIX, strlen(HANDLER_PREFIX)) != 0)
		return NULL;
	return handler + strlen(HANDLER_PREFIX);
}

static const char *not_a_name(const cmd_parms *cmd, const char *arg)
{
	return apr_psprintf(cmd->pool, "%s: \"%s\" is no pool's name (lower-case letters, digits, \".\", \"_\", \"-\"; 63 at most)", cmd->cmd->name, arg);
}

/* ---- directives ---- */

static const char *set_control(cmd_parms *cmd, void *dir, const char *arg)
{
	struct server_config *c = config_of_server(cmd->server);

	(void)dir;
	if (*arg != '/')
		return apr_psprintf(cmd->pool, "FcgipmControl: \"%s\" is no absolute path (manager's RUNTIME/control.sock)", arg);
	c->control = arg;
	return NULL;
}

static const char *set_pool(cmd_parms *cmd, void *dir, const char *arg)
{
	struct dir_config *c = dir;
	const char *err = NULL;

	if (strstr(arg, "%{") == NULL && *arg != '\0' && !config_is_pool_name(arg))
		return not_a_name(cmd, arg);
	c->pool = ap_expr_parse_cmd(cmd, arg, AP_EXPR_FLAG_STRING_RESULT, &err, NULL);
	return err != NULL ? apr_psprintf(cmd->pool, "FcgipmPool: cannot parse \"%s\": %s", arg, err) : NULL;
}

static const char *set_timeout(cmd_parms *cmd, void *dir, const char *arg)
{
	struct dir_config *c = dir;

	if (ap_timeout_parameter_parse(arg, &c->timeout, "s") != APR_SUCCESS || c->timeout <= 0)
		return apr_psprintf(cmd->pool, "FcgipmTimeout: \"%s\" is no time above 0 (60, 60s, 500ms, 5min)", arg);
	return NULL;
}

static const char *set_max_waiting(cmd_parms *cmd, void *dir, const char *arg)
{
	struct dir_config *c = dir;
	char *end;
	long n = strtol(arg, &end, 10);

	if (!isdigit((unsigned char)*arg) || *end != '\0' || n > 1000000)
		return apr_psprintf(cmd->pool, "FcgipmMaxWaiting: \"%s\" is no number (0: no bound)", arg);
	c->max_waiting = (int)n;
	return NULL;
}

static const char *set_flush(cmd_parms *cmd, void *dir, const char *arg)
{
	static const char *const modes[] = {[FLUSH_AUTO] = "auto", [FLUSH_ON] = "on", [FLUSH_OFF] = "off"};
	struct dir_config *c = dir;

	for (int i = FLUSH_AUTO; i <= FLUSH_OFF; i++)
		if (strcasecmp(arg, modes[i]) == 0) {
			c->flush = (enum flush_mode)i;
			return NULL;
		}
	return apr_psprintf(cmd->pool, "FcgipmFlush: \"%s\" is none of auto, on, off", arg);
}

/* Without slashes at the end: "" is the root itself. */
static const char *trim(apr_pool_t *p, const char *path)
{
	size_t n = strlen(path);

	while (n > 0 && path[n - 1] == '/')
		n--;
	return apr_pstrmemdup(p, path, n);
}

static const char *set_chroot(cmd_parms *cmd, void *dir, const char *arg)
{
	struct dir_config *c = dir;

	if (*arg != '/')
		return apr_psprintf(cmd->pool, "FcgipmChroot: \"%s\" is no absolute path (\"/\": paths are as httpd sees them)", arg);
	c->chroot_prefix = trim(cmd->pool, arg);
	return NULL;
}

static const char *add_sendfile(cmd_parms *cmd, void *dir, const char *arg)
{
	struct dir_config *c = dir;

	if (*arg != '/')
		return apr_psprintf(cmd->pool, "FcgipmSendfile: \"%s\" is no absolute path", arg);
	if (c->sendfile == NULL)
		c->sendfile = apr_array_make(cmd->pool, 2, sizeof(const char *));
	APR_ARRAY_PUSH(c->sendfile, const char *) = trim(cmd->pool, arg);
	return NULL;
}

/* cmd->info: where in struct dir_config the name goes. */
static const char *set_name(cmd_parms *cmd, void *dir, const char *arg)
{
	if (!config_is_pool_name(arg))
		return not_a_name(cmd, arg);
	return ap_set_string_slot(cmd, dir, arg);
}

static const char *make_profile(const cmd_parms *cmd, const char *name, struct exec_profile **ret)
{
	size_t n = name_part(name);
	struct exec_profile *p;

	if (n == 0 || name[n] != '\0')
		return apr_psprintf(cmd->pool, "%s: \"%s\" is no profile's name (lower-case letters, digits, \".\", \"_\", \"-\"; 63 at most)", cmd->cmd->name,
				    name);
	p = apr_pcalloc(cmd->pool, sizeof(*p));
	p->name = apr_pstrdup(cmd->pool, name);
	p->local = strcmp(name, "local") == 0;
	p->errors = (struct stderr_source){.kind = "profile", .name = p->name, .in_script_log = true};
	*ret = p;
	return NULL;
}

static bool has_profiles; /* somewhere FcgipmExecProfile is set */

bool config_has_profiles(void)
{
	return has_profiles;
}

static const char *set_profile(cmd_parms *cmd, void *dir, const char *arg)
{
	struct dir_config *c = dir;

	has_profiles = true;
	return make_profile(cmd, arg, &c->exec);
}

/* What stands before the profile; false: it is none of that. */
static bool take_option(struct ext_filter *f, const char *word)
{
	const struct {
		const char *name;
		const char **value;
	} options[] = {{"intype=", &f->intype}, {"outtype=", &f->outtype}, {"enableenv=", &f->enable_env}, {"disableenv=", &f->disable_env}};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strncasecmp(word, options[i].name, strlen(options[i].name)) == 0) {
			*options[i].value = word + strlen(options[i].name);
			return true;
		}
	return false;
}

static const char *set_ext_filter(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
	struct dir_config *c = dir;
	struct ext_filter *f = apr_pcalloc(cmd->pool, sizeof(*f));
	const char **args;
	int at = 0;

	c->ext_filter = f;
	if (argc == 1 && strcasecmp(argv[0], "off") == 0)
		return NULL;
	while (at < argc && take_option(f, argv[at]))
		at++;
	if (argc - at < 2 || *argv[at + 1] != '/')
		return "FcgipmExtFilter: off, or [intype=TYPE] [outtype=TYPE] [enableenv=NAME] [disableenv=NAME] PROFILE /PROGRAM [ARGUMENT...]";
	args = apr_pcalloc(cmd->pool, (size_t)(argc - at) * sizeof(*args));
	for (int i = at + 1; i < argc; i++)
		args[i - at - 1] = apr_pstrdup(cmd->pool, argv[i]);
	f->argv = args;
	return make_profile(cmd, argv[at], &f->profile);
}

static const char *set_script_log(cmd_parms *cmd, void *dir, const char *arg)
{
	struct server_config *c = config_of_server(cmd->server);

	(void)dir;
	c->script_log = ap_server_root_relative(cmd->pool, arg);
	return c->script_log == NULL ? apr_psprintf(cmd->pool, "ScriptLog: \"%s\" is no path", arg) : NULL;
}

static const char *set_script_log_length(cmd_parms *cmd, void *dir, const char *arg)
{
	(void)dir;
	config_of_server(cmd->server)->script_log_length = atol(arg);
	return NULL;
}

static const char *set_script_log_buffer(cmd_parms *cmd, void *dir, const char *arg)
{
	int n = atoi(arg);

	(void)dir;
	config_of_server(cmd->server)->script_log_buffer = n > 0 ? n : 0;
	return NULL;
}

#define SLOT(field) ((void *)APR_OFFSETOF(struct dir_config, field))
const command_rec config_commands[] = {
	AP_INIT_TAKE1("FcgipmControl", set_control, NULL, RSRC_CONF, "PATH of the manager's control socket (default " FCGIPM_CONTROL_SOCKET ")"),
	AP_INIT_TAKE1("FcgipmPool", set_pool, NULL, OR_FILEINFO, "pool that answers, an expression; empty: none"),
	AP_INIT_TAKE1("FcgipmTimeout", set_timeout, NULL, OR_FILEINFO,
		      "longest silence of an application that has begun, in seconds or with a unit (default: Timeout)"),
	AP_INIT_TAKE1("FcgipmMaxWaiting", set_max_waiting, NULL, RSRC_CONF | ACCESS_CONF,
		      "requests of one child that may hold a thread for one pool (default 0: no bound)"),
	AP_INIT_TAKE1("FcgipmFlush", set_flush, NULL, OR_FILEINFO,
		      "auto (default: when the application pauses), on (whatever comes, at once), off (when buffers are full)"),
	AP_INIT_ITERATE("FcgipmSendfile", add_sendfile, NULL, RSRC_CONF | ACCESS_CONF, "directories below which X-Sendfile may name files"),
	AP_INIT_TAKE1("FcgipmChroot", set_chroot, NULL, RSRC_CONF | ACCESS_CONF,
		      "what is cut from paths in parameters (default: the pool's chroot; /: nothing)"),
	AP_INIT_TAKE1("FcgipmAuthenticator", set_name, SLOT(authenticator), OR_AUTHCFG, "pool that checks user and password"),
	AP_INIT_TAKE1("FcgipmAuthorizer", set_name, SLOT(authorizer), OR_AUTHCFG, "pool that says whether the user may"),
	AP_INIT_TAKE1("FcgipmAccessChecker", set_name, SLOT(access_checker), OR_AUTHCFG, "pool that says whether the client may, before it is asked who it is"),
	AP_INIT_TAKE1("FcgipmFilter", set_name, SLOT(filter), OR_FILEINFO, "pool through which the answer goes"),
	AP_INIT_TAKE1("FcgipmExecProfile", set_profile, NULL, RSRC_CONF | ACCESS_CONF,
		      "profile of the exec broker by which CGI programs are run; local: httpd runs them itself"),
	AP_INIT_TAKE_ARGV("FcgipmExtFilter", set_ext_filter, NULL, RSRC_CONF | ACCESS_CONF, "profile and program through which the answer goes"),
	AP_INIT_TAKE1("ScriptLog", set_script_log, NULL, RSRC_CONF, "file that is told of CGI programs that fail"),
	AP_INIT_TAKE1("ScriptLogLength", set_script_log_length, NULL, RSRC_CONF, "bytes of ScriptLog, beyond which nothing more is written"),
	AP_INIT_TAKE1("ScriptLogBuffer", set_script_log_buffer, NULL, RSRC_CONF, "bytes of a request's body that ScriptLog gets"),
	{.name = NULL},
};

/* ---- what holds ---- */

struct server_config *config_of_server(const server_rec *s)
{
	return ap_get_module_config(s->module_config, &fcgipm_module);
}

const struct dir_config *config_of(const request_rec *r)
{
	return ap_get_module_config(r->per_dir_config, &fcgipm_module);
}

apr_interval_time_t config_timeout(const request_rec *r)
{
	const struct dir_config *c = config_of(r);

	return c->timeout > 0 ? c->timeout : r->server->timeout;
}
