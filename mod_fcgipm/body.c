/* Request bodies (runs in httpd). */
#include "mod_fcgipm/body.h"

#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <stdlib.h>
#include <util_filter.h>

#include "mod_fcgipm/module.h"
#include "mod_fcgipm/spool.h"

APLOG_USE_MODULE(fcgipm);

enum { PIECE = 32768 }; /* bytes asked of httpd at a time */

static apr_status_t read_piece(struct body *b, apr_read_type_e how)
{
	apr_status_t rv = ap_get_brigade(b->r->input_filters, b->bb, AP_MODE_READBYTES, how, PIECE);

	if (rv == APR_SUCCESS && !APR_BRIGADE_EMPTY(b->bb))
		b->taken = true;
	return rv;
}

/* ---- a body of unknown length ---- */

static apr_status_t remove_end(apr_bucket_brigade *bb, bool *ret_ended)
{
	for (apr_bucket *e = APR_BRIGADE_FIRST(bb), *next; e != APR_BRIGADE_SENTINEL(bb); e = next) {
		next = APR_BUCKET_NEXT(e);
		*ret_ended = *ret_ended || APR_BUCKET_IS_EOS(e);
		if (APR_BUCKET_IS_METADATA(e))
			apr_bucket_delete(e);
	}
	return APR_SUCCESS;
}

static int collect(struct body *b)
{
	apr_status_t rv = APR_SUCCESS;
	struct spool s;

	spool_init(&s, b->r);
	while (!b->ended && rv == APR_SUCCESS) {
		rv = read_piece(b, APR_BLOCK_READ);
		if (rv != APR_SUCCESS)
			return ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
		remove_end(b->bb, &b->ended);
		rv = spool_take(&s, b->bb);
	}
	if (rv != APR_SUCCESS) {
		ap_log_rerror(APLOG_MARK, APLOG_ERR, rv, b->r, "FP0201: cannot keep the request's body in a temporary file");
		return HTTP_INTERNAL_SERVER_ERROR;
	}
	b->length = s.length;
	b->bb = spool_end(&s);
	return OK;
}

/* ---- both ---- */

/* An ErrorDocument's body was read for the request that failed. */
static bool has_body(request_rec *r)
{
	return r->main == NULL && !(r->prev != NULL && ap_is_HTTP_ERROR(r->prev->status)) && ap_request_has_body(r);
}

void body_init_none(struct body *b, request_rec *r)
{
	*b = (struct body){.r = r, .length = -1, .ended = true};
}

void body_init_brigade(struct body *b, request_rec *r, apr_bucket_brigade *bb, apr_off_t length)
{
	*b = (struct body){.r = r, .bb = bb, .length = length, .ended = true};
}

static bool is_chunked(request_rec *r)
{
	return apr_table_get(r->headers_in, "Transfer-Encoding") != NULL || apr_table_get(r->headers_in, "Content-Length") == NULL;
}

int body_init(struct body *b, request_rec *r)
{
	int status = body_init_streamed(b, r);

	return status == OK && !b->ended && b->length < 0 ? collect(b) : status;
}

int body_init_streamed(struct body *b, request_rec *r)
{
	const char *length = apr_table_get(r->headers_in, "Content-Length");
	apr_off_t limit = ap_get_limit_req_body(r);

	body_init_none(b, r);
	if (!has_body(r)) {
		if (r->main == NULL && r->prev == NULL && length != NULL)
			b->length = 0;
		return OK;
	}
	b->ended = false;
	b->bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
	if (is_chunked(r))
		return OK; /* LimitRequestBody is httpd's affair */
	if (!ap_parse_strict_length(&b->length, length))
		return HTTP_BAD_REQUEST;
	if (limit > 0 && b->length > limit) {
		ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "FP0202: the request's body of %s bytes is larger than LimitRequestBody", length);
		return HTTP_REQUEST_ENTITY_TOO_LARGE;
	}
	return OK;
}

/* The next bucket that holds bytes; NULL: none is left. */
static apr_bucket *next_bucket(struct body *b)
{
	while (!APR_BRIGADE_EMPTY(b->bb)) {
		apr_bucket *e = APR_BRIGADE_FIRST(b->bb);

		if (!APR_BUCKET_IS_METADATA(e) && e->length != 0)
			return e;
		b->ended = b->ended || APR_BUCKET_IS_EOS(e);
		apr_bucket_delete(e);
	}
	return NULL;
}

static enum body_state lend(struct body *b, apr_bucket *e, const char **ret_at, size_t *ret_len)
{
	b->error = apr_bucket_read(e, ret_at, ret_len, APR_BLOCK_READ);
	if (b->error != APR_SUCCESS)
		return BODY_FAILED;
	b->lent = true;
	if (*ret_len == 0) /* a file that was cut: nothing was lent */
		return BODY_FAILED;
	return BODY_FED;
}

enum body_state body_next(struct body *b, const char **ret_at, size_t *ret_len)
{
	apr_bucket *e = NULL;

	if (b->lent)
		apr_bucket_delete(APR_BRIGADE_FIRST(b->bb));
	b->lent = false;
	if (b->bb != NULL)
		e = next_bucket(b);
	while (e == NULL && !b->ended) {
		apr_status_t rv = read_piece(b, APR_NONBLOCK_READ);

		if (APR_STATUS_IS_EAGAIN(rv) || (rv == APR_SUCCESS && APR_BRIGADE_EMPTY(b->bb)))
			return BODY_LATER;
		b->error = rv;
		if (rv != APR_SUCCESS)
			return BODY_FAILED;
		e = next_bucket(b);
	}
	if (e != NULL)
		return lend(b, e, ret_at, ret_len);
	*ret_at = "";
	*ret_len = 0;
	return BODY_FED;
}

enum body_state body_feed(struct body *b, struct fcgi_client *codec)
{
	const char *at;
	size_t len;
	enum body_state s = body_next(b, &at, &len);

	if (s == BODY_FED)
		fcgi_client_feed(codec, at, len);
	return s;
}

/* A client that asked whether to go on (RFC 9110, 10.1.1): httpd says so by itself only when a read would wait. */
void body_invite(struct body *b)
{
	request_rec *r = b->r;
	const char *line = r->status_line;
	int status = r->status;

	if (!r->expecting_100 || r->proto_num < HTTP_VERSION(1, 1) || r->bytes_sent != 0)
		return;
	r->status = HTTP_CONTINUE;
	r->status_line = NULL;
	ap_send_interim_response(r, 0);
	r->status = status;
	r->status_line = line;
}

void body_settle(struct body *b)
{
	if (b->bb == NULL)
		return;
	for (apr_bucket *e = APR_BRIGADE_FIRST(b->bb); e != APR_BRIGADE_SENTINEL(b->bb); e = APR_BUCKET_NEXT(e))
		if (!b->lent || e != APR_BRIGADE_FIRST(b->bb))
			apr_bucket_setaside(e, b->r->pool);
}
