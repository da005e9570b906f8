/* Filters (runs in httpd).  The protocol wants to know beforehand how much there is: what is to be filtered is collected first. */
#include "mod_fcgipm/filter.h"

#include <apr_strings.h>
#include <http_config.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

#include "mod_fcgipm/config.h"
#include "mod_fcgipm/filtering.h"
#include "mod_fcgipm/spool.h"
#include "mod_fcgipm/talk.h"
#include "mod_fcgipm/wait.h"

static ap_filter_rec_t *registered;

static apr_status_t run(ap_filter_t *f, struct spool *s)
{
	request_rec *r = f->r;
	struct talk_wish wish = {.pool = config_of(r)->filter, .role = FCGI_FILTER, .data = spool_end(s), .data_length = s->length, .next = f->next};
	apr_table_t *more = apr_table_make(r->pool, 2);
	struct talk *t;
	int status;

	apr_table_setn(more, "FCGI_DATA_LENGTH", apr_off_t_toa(r->pool, s->length));
	apr_table_setn(more, "FCGI_DATA_LAST_MOD", apr_off_t_toa(r->pool, apr_time_sec(r->mtime != 0 ? r->mtime : r->request_time)));
	wish.more = more;
	status = talk_begin(&t, r, &wish);
	if (status == OK) {
		filtering_unset_validators(r);
		wait_in_thread(t);
		status = talk_end(t);
	}
	return status == OK ? APR_SUCCESS : filtering_fail(f, status);
}

static bool take_end(apr_bucket_brigade *bb)
{
	bool ended = false;

	for (apr_bucket *e = APR_BRIGADE_FIRST(bb), *next; e != APR_BRIGADE_SENTINEL(bb); e = next) {
		next = APR_BUCKET_NEXT(e);
		ended = ended || APR_BUCKET_IS_EOS(e);
		if (APR_BUCKET_IS_METADATA(e))
			apr_bucket_delete(e);
	}
	return ended;
}

static apr_status_t collect(ap_filter_t *f, apr_bucket_brigade *bb)
{
	struct spool *s = f->ctx;
	apr_status_t rv;
	bool ended;

	if (s == NULL) {
		f->ctx = s = apr_palloc(f->r->pool, sizeof(*s));
		spool_init(s, f->r);
	}
	if (filtering_has_error(bb) || AP_STATUS_IS_HEADER_ONLY(f->r->status)) { /* it is not whole, and never will be; or there is nothing */
		ap_remove_output_filter(f);
		return ap_pass_brigade(f->next, bb);
	}
	ended = take_end(bb);
	rv = spool_take(s, bb);
	apr_brigade_cleanup(bb);
	if (rv != APR_SUCCESS)
		return rv;
	if (!ended)
		return APR_SUCCESS;
	ap_remove_output_filter(f);
	return run(f, s);
}

static void insert(request_rec *r)
{
	if (r->main == NULL && config_of(r)->filter != NULL)
		ap_add_output_filter_handle(registered, NULL, r, r->connection);
}

void filter_register(apr_pool_t *p)
{
	(void)p;
	registered = ap_register_output_filter("FCGIPM", collect, NULL, AP_FTYPE_RESOURCE);
	ap_hook_insert_filter(insert, NULL, NULL, APR_HOOK_LAST);
}
