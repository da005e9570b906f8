/* What filters have in common (runs in httpd's children). */
#include "mod_fcgipm/filtering.h"

#include <http_protocol.h>

apr_status_t filtering_fail(ap_filter_t *f, int status)
{
	apr_bucket_alloc_t *alloc = f->c->bucket_alloc;
	apr_bucket_brigade *bb = apr_brigade_create(f->r->pool, alloc);

	APR_BRIGADE_INSERT_TAIL(bb, ap_bucket_error_create(status, NULL, f->r->pool, alloc));
	APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(alloc));
	return ap_pass_brigade(f->next, bb);
}

/* What was said of the bytes as they were does not hold for what becomes of them (RFC 9110, 8.8). */
void filtering_unset_validators(request_rec *r)
{
	apr_table_unset(r->headers_out, "Content-Length");
	apr_table_unset(r->headers_out, "Content-MD5");
	apr_table_unset(r->headers_out, "ETag");
	apr_table_unset(r->headers_out, "Last-Modified");
	apr_table_unset(r->headers_out, "Accept-Ranges");
}

bool filtering_has_error(apr_bucket_brigade *bb)
{
	for (apr_bucket *e = APR_BRIGADE_FIRST(bb); e != APR_BRIGADE_SENTINEL(bb); e = APR_BUCKET_NEXT(e))
		if (AP_BUCKET_IS_ERROR(e))
			return true;
	return false;
}
