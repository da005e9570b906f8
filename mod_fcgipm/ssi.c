/* Server side includes (runs in httpd's children).  mod_include leaves exec to mod_cgi, or mod_cgid, which registers a handler; there is room for one, the last.
 *
 * Where both are loaded, each directory is to have the one that it is configured for.  So the function by which handlers are registered is replaced by one of
 * ours before anybody looks it up: it passes on what it is given, but keeps another's handler for exec, which is called where FcgipmExecProfile is not set.
 */
#include "mod_fcgipm/ssi.h"

#include <apr_optional.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_cgi.h>
#include <mod_include.h>
#include <string.h>
#include <util_script.h>

#include "mod_fcgipm/config.h"
#include "mod_fcgipm/module.h"
#include "mod_fcgipm/run.h"

APLOG_USE_MODULE(fcgipm);

/* Of this reading of the configuration; written before there are threads. */
static struct {
	APR_OPTIONAL_FN_TYPE(ap_register_include_handler) * pass_on;
	APR_OPTIONAL_FN_TYPE(ap_ssi_get_tag_and_value) * next_tag;
	APR_OPTIONAL_FN_TYPE(ap_ssi_parse_string) * expand;
	include_handler_fn_t *others; /* handler for exec; NULL: nobody else has one */
} ssi;

/* ---- exec cgi ---- */

static bool is_includable(const request_rec *rr)
{
	return rr->status == HTTP_OK && (rr->path_info == NULL || *rr->path_info == '\0') && rr->args == NULL && rr->finfo.filetype == APR_REG;
}

static void add_anchor(include_ctx_t *ctx, ap_filter_t *f, apr_bucket_brigade *bb, request_rec *rr)
{
	const char *location = apr_table_get(rr->headers_out, "Location"), *text;

	if (location == NULL)
		return;
	location = ap_escape_html(rr->pool, location);
	text = apr_pstrcat(ctx->pool, "<a href=\"", location, "\">", location, "</a>", NULL);
	APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_pool_create(text, strlen(text), ctx->pool, f->c->bucket_alloc));
}

/* As mod_cgi does it: no path and no query of its own, for it gets the document's; whatever it is by its name, it is a program. */
static bool include_cgi(include_ctx_t *ctx, ap_filter_t *f, apr_bucket_brigade *bb, const char *uri)
{
	request_rec *r = f->r, *rr = ap_sub_req_lookup_uri(uri, r, f->next);
	bool includable = is_includable(rr);
	int status;

	if (includable) {
		rr->path_info = r->path_info;
		rr->args = r->args;
		ap_set_content_type(rr, CGI_MAGIC_TYPE);
		rr->handler = CGI_MAGIC_TYPE;
		status = ap_run_sub_req(rr);
		if (ap_is_HTTP_REDIRECT(status) || ap_is_HTTP_REDIRECT(rr->status))
			add_anchor(ctx, f, bb, rr);
	}
	ap_destroy_sub_req(rr);
	return includable;
}

/* ---- exec cmd ---- */

static void add_path_info(request_rec *r, apr_table_t *env)
{
	request_rec *pa;

	if (r->path_info == NULL || *r->path_info == '\0')
		return;
	apr_table_setn(env, "PATH_INFO", ap_escape_shell_cmd(r->pool, r->path_info));
	pa = ap_sub_req_lookup_uri(ap_escape_uri(r->pool, r->path_info), r, NULL);
	if (pa->filename != NULL)
		apr_table_setn(env, "PATH_TRANSLATED", apr_pstrcat(r->pool, pa->filename, pa->path_info, NULL));
	ap_destroy_sub_req(pa);
}

static const char *const *make_envp(request_rec *r)
{
	apr_table_t *env = r->subprocess_env;
	char *args;

	add_path_info(r, env);
	if (r->args != NULL) {
		args = apr_pstrdup(r->pool, r->args);
		ap_unescape_url(args);
		apr_table_setn(env, "QUERY_STRING", r->args);
		apr_table_setn(env, "QUERY_STRING_UNESCAPED", ap_escape_shell_cmd(r->pool, args));
	}
	return (const char *const *)ap_create_environment(r->pool, env);
}

static const char *directory_of(request_rec *r)
{
	const char *end = strrchr(r->filename, '/');

	return end == NULL || end == r->filename ? "/" : apr_pstrmemdup(r->pool, r->filename, (apr_size_t)(end - r->filename));
}

/* What stands before it in the document goes out first; then it says itself what it has to say, as it comes. */
static bool include_cmd(ap_filter_t *f, apr_bucket_brigade *bb, const char *command)
{
	request_rec *r = f->r;
	const char **argv = apr_pcalloc(r->pool, 4 * sizeof(*argv));
	struct run *run;

	argv[0] = "/bin/sh";
	argv[1] = "-c";
	argv[2] = apr_pstrdup(r->pool, command);
	if (!APR_BRIGADE_EMPTY(bb) && ap_pass_brigade(f->next, bb) != APR_SUCCESS)
		return true; /* nobody hears */
	apr_brigade_cleanup(bb);
	if (run_begin(&run, r,
		      &(const struct run_wish){.profile = config_of(r)->exec,
					       .argv = argv,
					       .envp = make_envp(r),
					       .directory = directory_of(r),
					       .about = apr_psprintf(r->pool, "%s in %s", command, r->filename),
					       .input = RUN_READS_NOTHING,
					       .answer = {.use = ANSWER_IS_OUTPUT, .root = "", .next = f->next, .part = true}}) != OK)
		return false;
	run_wait(run);
	return run_end(run) == OK;
}

/* ---- exec ---- */

static bool include_one(include_ctx_t *ctx, ap_filter_t *f, apr_bucket_brigade *bb, const char *tag, char *value)
{
	char text[MAX_STRING_LEN];
	bool is_cmd = strcmp(tag, "cmd") == 0;

	if (!is_cmd && strcmp(tag, "cgi") != 0) {
		ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, f->r, "FP0341: unknown parameter \"%s\" to tag exec in %s", tag, f->r->filename);
		return false;
	}
	ssi.expand(ctx, value, text, sizeof(text), is_cmd ? SSI_EXPAND_LEAVE_NAME : SSI_EXPAND_DROP_NAME);
	if (is_cmd ? include_cmd(f, bb, text) : include_cgi(ctx, f, bb, text))
		return true;
	ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, f->r, "FP0342: exec %s=\"%s\" failed in %s", tag, text, f->r->filename);
	return false;
}

static const char *objection(const include_ctx_t *ctx, const request_rec *r)
{
	if (ctx->argc == 0)
		return "missing argument for exec element";
	if ((ctx->flags & SSI_FLAG_NO_EXEC) != 0)
		return "exec used but not allowed";
	return config_of(r)->exec == NULL ? "exec without FcgipmExecProfile" : NULL;
}

static apr_status_t handle_exec(include_ctx_t *ctx, ap_filter_t *f, apr_bucket_brigade *bb)
{
	char *tag = NULL, *value = NULL;
	const char *why = objection(ctx, f->r);
	bool done = why == NULL;

	if (config_of(f->r)->exec == NULL && ssi.others != NULL)
		return ssi.others(ctx, f, bb);
	if (!(ctx->flags & SSI_FLAG_PRINTING))
		return APR_SUCCESS;
	if (!done)
		ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, f->r, "FP0343: %s in %s", why, f->r->filename);
	while (done) {
		ssi.next_tag(ctx, &tag, &value, SSI_VALUE_DECODED);
		if (tag == NULL || value == NULL)
			return APR_SUCCESS;
		done = include_one(ctx, f, bb, tag, value);
	}
	SSI_CREATE_ERROR_BUCKET(ctx, f, bb);
	return APR_SUCCESS;
}

/* ---- registering ---- */

static void take_handler(char *tag, include_handler_fn_t *handler)
{
	if (strcmp(tag, "exec") == 0)
		ssi.others = handler;
	else
		ssi.pass_on(tag, handler);
}

static void retrieve(void)
{
	static char tag[] = "exec";

	ssi.others = NULL;
	ssi.pass_on = APR_RETRIEVE_OPTIONAL_FN(ap_register_include_handler);
	ssi.next_tag = APR_RETRIEVE_OPTIONAL_FN(ap_ssi_get_tag_and_value);
	ssi.expand = APR_RETRIEVE_OPTIONAL_FN(ap_ssi_parse_string);
	if (ssi.pass_on == NULL || ssi.next_tag == NULL || ssi.expand == NULL)
		return;
	ssi.pass_on(tag, handle_exec);
	apr_dynamic_fn_register("ap_register_include_handler", (apr_opt_fn_t *)take_handler);
}

void ssi_register(apr_pool_t *p)
{
	(void)p;
	ap_hook_optional_fn_retrieve(retrieve, NULL, NULL, APR_HOOK_REALLY_FIRST);
}
