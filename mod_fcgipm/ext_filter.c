/* Filter programs (runs in httpd's children): what comes is fed to the program as it comes, and what it says goes on as it comes; nothing is collected. */
#include "mod_fcgipm/ext_filter.h"

#include <apr_strings.h>
#include <http_config.h>
#include <http_protocol.h>
#include <http_request.h>
#include <string.h>
#include <util_filter.h>
#include <util_script.h>

#include "mod_fcgipm/config.h"
#include "mod_fcgipm/filtering.h"
#include "mod_fcgipm/run.h"

static ap_filter_rec_t *registered;

/* ---- whether ---- */

static bool has_type(request_rec *r, const char *type)
{
	const char *own = r->content_type;

	if (type == NULL || strcmp(type, "*/*") == 0)
		return true;
	return own != NULL && strcasecmp(ap_getword(r->pool, &own, ';'), type) == 0;
}

static bool wants(request_rec *r, const struct ext_filter *c)
{
	if (AP_STATUS_IS_HEADER_ONLY(r->status) || !has_type(r, c->intype))
		return false;
	if (c->enable_env != NULL && apr_table_get(r->subprocess_env, c->enable_env) == NULL)
		return false;
	return c->disable_env == NULL || apr_table_get(r->subprocess_env, c->disable_env) == NULL;
}

/* ---- how ---- */

/* As mod_ext_filter has it. */
static const char *const *make_envp(request_rec *r)
{
	apr_table_t *env = r->subprocess_env;
	char *args;

	ap_add_cgi_vars(r);
	ap_add_common_vars(r);
	apr_table_setn(env, "DOCUMENT_URI", r->uri);
	apr_table_setn(env, "DOCUMENT_PATH_INFO", r->path_info != NULL ? r->path_info : "");
	if (r->args != NULL) {
		args = apr_pstrdup(r->pool, r->args);
		ap_unescape_url(args);
		apr_table_setn(env, "QUERY_STRING_UNESCAPED", ap_escape_shell_cmd(r->pool, args));
	}
	return (const char *const *)ap_create_environment(r->pool, env);
}

static struct run *begin(ap_filter_t *f, const struct ext_filter *c, int *ret_status)
{
	request_rec *r = f->r;
	struct run *run = NULL;

	*ret_status = run_begin(&run, r,
				&(const struct run_wish){.profile = c->profile,
							 .argv = c->argv,
							 .envp = make_envp(r),
							 .about = apr_psprintf(r->pool, "%s for %s", c->argv[0], r->uri),
							 .input = RUN_IS_FED,
							 .answer = {.use = ANSWER_IS_OUTPUT, .root = "", .next = f->next}});
	filtering_unset_validators(r);
	if (c->outtype != NULL)
		ap_set_content_type(r, c->outtype);
	return run;
}

/* False: no more is wanted, or can be had. */
static bool feed(struct run *run, apr_bucket *e)
{
	const char *at;
	apr_size_t len;

	if (APR_BUCKET_IS_FLUSH(e)) {
		run_flush(run);
		return true;
	}
	if (APR_BUCKET_IS_METADATA(e))
		return true;
	return apr_bucket_read(e, &at, &len, APR_BLOCK_READ) == APR_SUCCESS && (len == 0 || run_feed(run, at, len));
}

static bool feed_all(struct run *run, apr_bucket_brigade *bb)
{
	bool ended = false;

	while (!APR_BRIGADE_EMPTY(bb) && !ended) {
		apr_bucket *e = APR_BRIGADE_FIRST(bb);

		ended = APR_BUCKET_IS_EOS(e);
		if (!run->over)
			(void)feed(run, e);
		apr_bucket_delete(e);
	}
	return ended;
}

static apr_status_t filter(ap_filter_t *f, apr_bucket_brigade *bb)
{
	const struct ext_filter *c = config_of(f->r)->ext_filter;
	struct run *run = f->ctx;
	int status = OK;

	if (run == NULL && !filtering_has_error(bb) && wants(f->r, c))
		f->ctx = run = begin(f, c, &status);
	if (run == NULL || filtering_has_error(bb)) { /* none of its business; or what it was given is not whole: neither is what it has made of it */
		ap_remove_output_filter(f);
		return status != OK ? filtering_fail(f, status) : ap_pass_brigade(f->next, bb);
	}
	if (!feed_all(run, bb))
		return f->c->aborted ? APR_ECONNABORTED : APR_SUCCESS;
	ap_remove_output_filter(f);
	run_wait(run);
	status = run_end(run);
	if (f->c->aborted)
		return APR_ECONNABORTED;
	return status == OK ? APR_SUCCESS : filtering_fail(f, status);
}

static void insert(request_rec *r)
{
	const struct ext_filter *c = config_of(r)->ext_filter;

	if (r->main == NULL && c != NULL && c->profile != NULL)
		ap_add_output_filter_handle(registered, NULL, r, r->connection);
}

void ext_filter_register(apr_pool_t *p)
{
	(void)p;
	registered = ap_register_output_filter("FCGIPM_EXT", filter, NULL, AP_FTYPE_RESOURCE);
	ap_hook_insert_filter(insert, NULL, NULL, APR_HOOK_LAST);
}
