/* Parameters of a request (runs in httpd).  What httpd's core makes for CGI is the basis: it leaves out Proxy (HTTP_PROXY), Authorization unless CGIPassAuth
 * says otherwise, and header names with an underscore, which would look like those with a hyphen. */
#include "mod_fcgipm/params.h"

#include <apr_strings.h>
#include <string.h>
#include <util_script.h>

/* Paths in the server's file system, which a pool in a chroot sees from there. */
static const char *const paths[] = {"SCRIPT_FILENAME", "PATH_TRANSLATED", "DOCUMENT_ROOT", "CONTEXT_DOCUMENT_ROOT"};
/* Not for an authorizer.  The core's own table may have them from a request before this one. */
static const char *const unauthorized[] = {"PATH_INFO", "PATH_TRANSLATED", "SCRIPT_NAME"};

const char *params_below(const char *root, const char *path)
{
	size_t n = strlen(root);

	if (strncmp(path, root, n) != 0 || (path[n] != '/' && path[n] != '\0'))
		return path;
	return path[n] == '\0' ? "/" : path + n;
}

void params_map_paths(apr_table_t *env, const char *root)
{
	if (*root == '\0')
		return;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const char *value = apr_table_get(env, paths[i]);

		if (value != NULL)
			apr_table_setn(env, paths[i], params_below(root, value));
	}
}

static void set_length(request_rec *r, apr_table_t *env, apr_off_t length)
{
	if (length < 0) {
		apr_table_unset(env, "CONTENT_LENGTH");
		return;
	}
	apr_table_setn(env, "CONTENT_LENGTH", apr_off_t_toa(r->pool, length));
	apr_table_unset(env, "HTTP_TRANSFER_ENCODING"); /* it gets the body as it is, of known length */
}

/* Of the manager's making is the worker's PATH, not of httpd's; and some look for PATH_INFO and are content with PATH. */
static void adapt(request_rec *r, apr_table_t *env, const struct params_wish *wish)
{
	apr_table_unset(env, "PATH");
	apr_table_unset(env, "LD_LIBRARY_PATH");
	if (apr_table_get(env, "REDIRECT_STATUS") == NULL)
		apr_table_setn(env, "REDIRECT_STATUS", "200"); /* php-cgi's cgi.force_redirect */
	set_length(r, env, wish->content_length);
	params_map_paths(env, wish->root);
}

/* ap_add_cgi_vars() would look up PATH_INFO as a request of its own, which would have to be authorized in its turn. */
static void set_authorizer(request_rec *r, apr_table_t *env)
{
	apr_table_setn(env, "GATEWAY_INTERFACE", "CGI/1.1");
	apr_table_setn(env, "SERVER_PROTOCOL", r->protocol);
	apr_table_setn(env, "REQUEST_METHOD", r->method);
	apr_table_setn(env, "QUERY_STRING", r->args != NULL ? r->args : "");
	apr_table_setn(env, "REQUEST_URI", r->unparsed_uri);
	for (size_t i = 0; i < sizeof(unauthorized) / sizeof(unauthorized[0]); i++)
		apr_table_unset(env, unauthorized[i]);
}

static struct fcgi_pair pair_of(const apr_table_entry_t *e)
{
	return (struct fcgi_pair){.name = e->key, .name_len = strlen(e->key), .value = e->val, .value_len = strlen(e->val)};
}

struct params params_make(request_rec *r, const struct params_wish *wish)
{
	const apr_array_header_t *all;
	struct params made;
	apr_table_t *env;

	ap_add_common_vars(r);
	if (!wish->authorizer)
		ap_add_cgi_vars(r);
	env = apr_table_copy(r->pool, r->subprocess_env);
	if (wish->authorizer)
		set_authorizer(r, env);
	adapt(r, env, wish);
	if (wish->more != NULL)
		apr_table_overlap(env, wish->more, APR_OVERLAP_TABLES_SET);
	all = apr_table_elts(env);
	made = (struct params){.pairs = apr_palloc(r->pool, (size_t)all->nelts * sizeof(struct fcgi_pair))};
	for (int i = 0; i < all->nelts; i++) {
		const apr_table_entry_t *e = &APR_ARRAY_IDX(all, i, apr_table_entry_t);

		if (e->key != NULL && e->val != NULL)
			made.pairs[made.count++] = pair_of(e);
	}
	return made;
}
