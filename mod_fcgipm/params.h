/* What the application is told of a request: CGI/1.1 (RFC 3875) as httpd's users know it (runs in httpd). */
#ifndef MOD_FCGIPM_PARAMS_H
#define MOD_FCGIPM_PARAMS_H

#include <httpd.h>
#include <apr_tables.h>
#include <stdbool.h>

#include "fcgipm/fcgi/params.h"

struct params {
	struct fcgi_pair *pairs; /* of r->pool; their texts too */
	size_t count;
};

struct params_wish {
	const char *root; /* cut from paths; "": nothing */
	apr_off_t content_length; /* -1: there is no body */
	bool authorizer; /* what is about the script and the body is left out (FastCGI specification, 6.3) */
	const apr_table_t *more; /* added; NULL: nothing */
};

/* A path as who has that root sees it. */
const char *params_below(const char *root, const char *path);
/* All that are paths in the server's file system. */
void params_map_paths(apr_table_t *env, const char *root);

struct params params_make(request_rec *r, const struct params_wish *wish);

#endif
