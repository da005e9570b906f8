/* Authorizers (runs in httpd). */
#include "mod_fcgipm/roles.h"

#include <apr_strings.h>
#include <ap_provider.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_auth.h>
#include <string.h>

#include "mod_fcgipm/config.h"
#include "mod_fcgipm/module.h"
#include "mod_fcgipm/talk.h"
#include "mod_fcgipm/wait.h"

APLOG_USE_MODULE(fcgipm);

/* What a pool said of a request.  It is asked once, though httpd may evaluate a Require line twice. */
struct verdict {
	struct verdict *next;
	const char *pool, *role;
	int status; /* OK, or that of the refusal */
	struct talk *talk; /* whose answer is the refusal; NULL: httpd's own page */
};

struct verdicts {
	struct verdict *first;
	const struct verdict *refusal; /* the latest */
	bool inside; /* the other modules' hooks run */
};

static bool any_require; /* the configuration has a line with our provider */

static struct verdicts *verdicts_of(request_rec *r)
{
	struct verdicts *v = ap_get_module_config(r->request_config, &fcgipm_module);

	if (v == NULL) {
		v = apr_pcalloc(r->pool, sizeof(*v));
		ap_set_module_config(r->request_config, &fcgipm_module, v);
	}
	return v;
}

/* ---- asking ---- */

static void ask(request_rec *r, struct verdict *v, const char *password)
{
	struct talk_wish wish = {.pool = v->pool, .role = FCGI_AUTHORIZER};
	apr_table_t *more = apr_table_make(r->pool, 2);
	struct talk *t;

	apr_table_setn(more, "FCGI_APACHE_ROLE", v->role);
	if (password != NULL)
		apr_table_setn(more, "REMOTE_PASSWD", password);
	wish.more = more;
	v->status = talk_begin(&t, r, &wish);
	if (v->status != OK)
		return;
	wait_in_thread(t);
	v->status = talk_end(t);
	if (v->status != OK || !t->answer.refused)
		return;
	v->status = t->answer.head.status != 0 ? t->answer.head.status : HTTP_MOVED_TEMPORARILY;
	v->talk = t;
}

static const struct verdict *verdict_of(request_rec *r, const char *pool, const char *role, const char *password)
{
	struct verdicts *all = verdicts_of(r);
	struct verdict *v = all->first;

	while (v != NULL && (strcmp(v->role, role) != 0 || strcmp(v->pool, pool) != 0))
		v = v->next;
	if (v == NULL) {
		v = apr_pcalloc(r->pool, sizeof(*v));
		v->pool = pool;
		v->role = role;
		ask(r, v, password);
		v->next = all->first;
		all->first = v;
	}
	if (v->status != OK)
		all->refusal = v;
	return v;
}

/* ---- refusing ---- */

/* What httpd's core is to be told: a status, for which it makes a page, or DONE, since the application's own answer has been sent. */
static int refuse(request_rec *r, const struct verdict *v)
{
	struct answer *a;

	if (v->status == HTTP_UNAUTHORIZED)
		ap_note_auth_failure(r);
	if (v->talk == NULL || r->main != NULL)
		return v->status;
	a = &v->talk->answer;
	if (!r->expecting_100 && ap_discard_request_body(r) != OK)
		r->connection->keepalive = AP_CONN_CLOSE;
	answer_deliver(a);
	return DONE;
}

/* A request made by httpd itself below the one that has been judged. */
static bool is_judged(const request_rec *r)
{
	const request_rec *from = r->main != NULL ? r->main : r->prev;

	return from != NULL && from->per_dir_config == r->per_dir_config;
}

/* ---- the three places ---- */

static int check_access(request_rec *r)
{
	const char *pool = config_of(r)->access_checker;
	const struct verdict *v;

	if (pool == NULL || is_judged(r))
		return DECLINED;
	v = verdict_of(r, pool, "ACCESS_CHECKER", NULL);
	if (v->status == OK)
		return OK;
	return ap_satisfies(r) == SATISFY_ANY ? v->status : refuse(r, v);
}

static int authenticate(request_rec *r)
{
	const char *pool = config_of(r)->authenticator, *type = ap_auth_type(r), *password = NULL;
	const struct verdict *v;
	int status;

	if (pool == NULL || type == NULL || strcasecmp(type, "Basic") != 0)
		return DECLINED;
	status = ap_get_basic_auth_pw(r, &password);
	if (status != OK)
		return status;
	v = verdict_of(r, pool, "AUTHENTICATOR", password);
	return v->status == OK ? OK : refuse(r, v);
}

/* Whatever Require lines say beside it: here all that come before the content have spoken, and the user, if there is one, is known. */
static int authorize(request_rec *r)
{
	const char *pool = config_of(r)->authorizer;
	const struct verdict *v;

	if (pool == NULL || is_judged(r))
		return DECLINED;
	v = verdict_of(r, pool, "AUTHORIZER", NULL);
	return v->status == OK ? DECLINED : refuse(r, v);
}

/* ---- Require fcgipm POOL ---- */

static const char *parse_require(cmd_parms *cmd, const char *line, const void **ret)
{
	const char *pool = ap_getword_conf(cmd->pool, &line);

	if (!config_is_pool_name(pool) || *line != '\0')
		return apr_psprintf(cmd->pool, "Require fcgipm: \"%s\" is not one pool's name", pool);
	*ret = pool;
	any_require = true;
	return NULL;
}

static authz_status require_pool(request_rec *r, const char *line, const void *pool)
{
	(void)line;
	if (r->user == NULL && ap_auth_type(r) != NULL)
		return AUTHZ_DENIED_NO_USER; /* it is asked again when there is one */
	return verdict_of(r, pool, "AUTHORIZER", NULL)->status == OK ? AUTHZ_GRANTED : AUTHZ_DENIED;
}

/* mod_authz_core makes 401 or 403 of a refusal.  Only from around it can the pool's own answer be given. */
static int around(request_rec *r, int (*run)(request_rec *r))
{
	struct verdicts *v;
	int status;

	if (!any_require || r->main != NULL)
		return DECLINED;
	v = verdicts_of(r);
	if (v->inside)
		return DECLINED;
	v->inside = true;
	v->refusal = NULL;
	status = run(r);
	v->inside = false;
	return status > OK && v->refusal != NULL ? refuse(r, v->refusal) : status;
}

static int around_userless(request_rec *r)
{
	return around(r, ap_run_access_checker_ex);
}

static int around_user(request_rec *r)
{
	return around(r, ap_run_auth_checker);
}

static int forget(apr_pool_t *p, apr_pool_t *log, apr_pool_t *temp)
{
	(void)p;
	(void)log;
	(void)temp;
	any_require = false;
	return OK;
}

void roles_register(apr_pool_t *p)
{
	static const authz_provider provider = {require_pool, parse_require};

	ap_register_auth_provider(p, AUTHZ_PROVIDER_GROUP, "fcgipm", AUTHZ_PROVIDER_VERSION, &provider, AP_AUTH_INTERNAL_PER_CONF);
	ap_hook_pre_config(forget, NULL, NULL, APR_HOOK_MIDDLE);
	ap_hook_check_access(check_access, NULL, NULL, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
	/* Before mod_auth_basic, which would look for a file of users. */
	ap_hook_check_authn(authenticate, NULL, NULL, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);
	ap_hook_check_access_ex(around_userless, NULL, NULL, APR_HOOK_REALLY_FIRST, AP_AUTH_INTERNAL_PER_CONF);
	ap_hook_check_authz(around_user, NULL, NULL, APR_HOOK_REALLY_FIRST, AP_AUTH_INTERNAL_PER_CONF);
	ap_hook_fixups(authorize, NULL, NULL, APR_HOOK_REALLY_FIRST);
}
