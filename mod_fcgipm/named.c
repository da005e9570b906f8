/* Pools by name in the configuration's text (runs in httpd's parent).  Those of .htaccess files and expressions are found out by the requests. */
#include "mod_fcgipm/named.h"

#include <httpd.h>
#include <apr_strings.h>
#include <http_config.h>
#include <string.h>
#include <util_filter.h>

#include "mod_fcgipm/config.h"

static const char *const naming[] = {"FcgipmPool", "FcgipmAuthenticator", "FcgipmAuthorizer", "FcgipmAccessChecker", "FcgipmFilter"};

static void add(apr_array_header_t *pools, const char *name)
{
	if (!config_is_pool_name(name))
		return;
	for (int i = 0; i < pools->nelts; i++)
		if (strcmp(APR_ARRAY_IDX(pools, i, const char *), name) == 0)
			return;
	APR_ARRAY_PUSH(pools, const char *) = name;
}

static bool is_handler(const char *directive)
{
	return strcasecmp(directive, "SetHandler") == 0 || strcasecmp(directive, "AddHandler") == 0;
}

static void take(apr_pool_t *p, apr_array_header_t *pools, const ap_directive_t *d)
{
	const char *args = d->args, *word = ap_getword_conf(p, &args);

	if (is_handler(d->directive) && config_handler_pool(word) != NULL)
		add(pools, config_handler_pool(word));
	for (size_t i = 0; i < sizeof(naming) / sizeof(naming[0]); i++)
		if (strcasecmp(d->directive, naming[i]) == 0)
			add(pools, word);
}

static void walk(apr_pool_t *p, apr_array_header_t *pools, const ap_directive_t *d)
{
	for (; d != NULL; d = d->next) {
		take(p, pools, d);
		walk(p, pools, d->first_child);
	}
}

apr_array_header_t *named_pools(apr_pool_t *p)
{
	apr_array_header_t *pools = apr_array_make(p, 8, sizeof(const char *));

	walk(p, pools, ap_conftree);
	return pools;
}
