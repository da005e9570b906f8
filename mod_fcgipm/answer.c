/* Answers (runs in httpd). */
#include "mod_fcgipm/answer.h"

#include <apr_date.h>
#include <apr_strings.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <string.h>
#include <sys/socket.h>
#include <util_filter.h>

#include "mod_fcgipm/http_client.h"
#include "mod_fcgipm/config.h"
#include "mod_fcgipm/module.h"
#include "mod_fcgipm/sendfile.h"

APLOG_USE_MODULE(fcgipm);

enum {
	HEAD_FIRST = 4096,
	HEAD_MAX = 65536,
	REFUSAL_MAX = 1 << 20,
	LINE_MAX_LOGGED = 200,
	HELD_MAX = 8000, /* what a brigade's own bucket holds */
};

void answer_init(struct answer *a, request_rec *r, const struct answer_wish *wish)
{
	bool headless = wish->use == ANSWER_IS_OUTPUT || wish->use == ANSWER_IS_UNPARSED;

	*a = (struct answer){.r = r, .use = wish->use, .next = wish->next, .left = -1, .root = wish->root, .part = wish->part};
	if (headless)
		a->stage = ANSWER_BODY;
	else
		a->head = FCGI_HEAD(apr_palloc(r->pool, HEAD_FIRST), HEAD_FIRST);
	a->bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
}

/* ---- the head ---- */

/* line: what is wrong, or NULL. */
static enum failure malformed(struct answer *a, const char *why, const char *line)
{
	apr_pool_t *p = a->r->pool;

	a->why = line == NULL ? why : apr_psprintf(p, "%s: \"%s\"", why, ap_escape_logitem(p, apr_pstrndup(p, line, LINE_MAX_LOGGED)));
	return FAILURE_MALFORMED;
}

static bool set_length(struct answer *a, const char *value)
{
	apr_off_t length;

	if (!ap_parse_strict_length(&length, value) || (a->left >= 0 && a->left != length)) {
		malformed(a, "no Content-Length, or not the one before", value);
		return false;
	}
	a->left = length;
	apr_table_setn(a->r->headers_out, "Content-Length", apr_pstrdup(a->r->pool, value));
	return true;
}

/* How the connection to the client is framed is httpd's business. */
static bool drop(struct answer *a, const char *value)
{
	(void)a;
	(void)value;
	return true;
}

static bool set_type(struct answer *a, const char *value)
{
	ap_set_content_type(a->r, apr_pstrdup(a->r->pool, value));
	return true;
}

static bool set_location(struct answer *a, const char *value)
{
	apr_table_setn(a->r->headers_out, "Location", apr_pstrdup(a->r->pool, value));
	return true;
}

static bool set_modified(struct answer *a, const char *value)
{
	apr_time_t t = apr_date_parse_http(value);

	if (t == APR_DATE_BAD) /* to a cache 1970 would say that it may be kept for years */
		return true;
	ap_update_mtime(a->r, t);
	ap_set_last_modified(a->r);
	return true;
}

static bool set_etag(struct answer *a, const char *value)
{
	apr_table_setn(a->r->headers_out, "ETag", apr_pstrdup(a->r->pool, value));
	return true;
}

static bool set_file(struct answer *a, const char *value)
{
	if (config_of(a->r)->sendfile == NULL)
		return true;
	a->file = sendfile_open(a->r, value, a->root);
	if (a->file == NULL)
		a->error = HTTP_NOT_FOUND;
	return true;
}

/* X(name, what is done with the value).  Every other field goes to the client as it is, with an error's own answer too. */
#define FIELDS(X)                                                                                                                                              \
	X("Content-Length", set_length)                                                                                                                        \
	X("Content-Type", set_type)                                                                                                                            \
	X("Location", set_location)                                                                                                                            \
	X("Last-Modified", set_modified)                                                                                                                       \
	X("ETag", set_etag)                                                                                                                                    \
	X("X-Sendfile", set_file)                                                                                                                              \
	X("Transfer-Encoding", drop)                                                                                                                           \
	X("Connection", drop)                                                                                                                                  \
	X("Keep-Alive", drop)                                                                                                                                  \
	X("Trailer", drop)                                                                                                                                     \
	X("Upgrade", drop)

static bool take_field(struct answer *a, const struct fcgi_field *f)
{
	static const struct {
		const char *name;
		bool (*take)(struct answer *a, const char *value);
	} fields[] = {
#define FIELD(name, take) {name, take},
		FIELDS(FIELD)};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcasecmp(f->name, fields[i].name) == 0)
			return fields[i].take(a, f->value);
	apr_table_add(a->r->err_headers_out, f->name, f->value);
	return true;
}

static void set_status(request_rec *r, const struct fcgi_head *h)
{
	r->status = h->status;
	r->status_line = h->status_line[3] != '\0' ? apr_pstrdup(r->pool, h->status_line) : NULL;
}

/* 103 Early Hints and its like are passed on, and are never the answer; 100 and 101 are httpd's own affair. */
static void send_interim(struct answer *a)
{
	request_rec *r = a->r;
	apr_table_t *kept = r->headers_out;
	struct fcgi_field f;
	int status = r->status;

	r->headers_out = apr_table_make(r->pool, 4);
	while (fcgi_head_next(&a->head, &f))
		apr_table_add(r->headers_out, f.name, f.value);
	set_status(r, &a->head);
	if (r->status > HTTP_SWITCHING_PROTOCOLS && r->main == NULL)
		ap_send_interim_response(r, 1);
	r->headers_out = kept;
	r->status = status;
	r->status_line = NULL;
}

static void skip_interim(struct answer *a)
{
	if (a->use == ANSWER_IS_RESPONSE)
		send_interim(a);
	fcgi_head_reset(&a->head);
}

/* RFC 3875, 6.2: a path of ours is answered in place of it, anything else sends the client there, with a page of httpd's. */
static void judge_location(struct answer *a)
{
	const char *location = apr_table_get(a->r->headers_out, "Location");

	if (location == NULL || a->head.status != 0)
		return;
	if (*location == '/' && a->r->main == NULL) {
		a->redirect = location;
		a->stage = ANSWER_IGNORED;
	} else {
		a->error = HTTP_MOVED_TEMPORARILY;
	}
}

static void judge_conditions(struct answer *a)
{
	int status;

	if (a->r->status != HTTP_OK || a->r->method_number != M_GET)
		return;
	status = ap_meets_conditions(a->r);
	if (status == OK)
		return;
	if (status == HTTP_NOT_MODIFIED)
		a->r->status = status;
	else
		a->error = status;
	a->r->status_line = NULL;
	a->stage = ANSWER_IGNORED;
}

/* FastCGI specification, 6.3: of an authorizer that grants, only variables count.  A Location without a status is a redirect, as everywhere in CGI. */
static void take_verdict(struct answer *a)
{
	static const char prefix[] = "Variable-";
	struct fcgi_head copy = a->head; /* a refusal is read again when it is delivered */
	struct fcgi_field f;
	bool location = false;

	while (fcgi_head_next(&copy, &f))
		location = location || strcasecmp(f.name, "Location") == 0;
	a->refused = a->head.status != HTTP_OK && (a->head.status != 0 || location);
	a->stage = a->refused ? ANSWER_BODY : ANSWER_IGNORED;
	while (!a->refused && fcgi_head_next(&a->head, &f))
		if (strncasecmp(f.name, prefix, strlen(prefix)) == 0 && f.name[strlen(prefix)] != '\0')
			apr_table_set(a->r->subprocess_env, f.name + strlen(prefix), f.value);
}

static bool take_fields(struct answer *a)
{
	struct fcgi_field f;

	while (fcgi_head_next(&a->head, &f))
		if (!take_field(a, &f))
			return false;
	if (a->head.status != 0)
		set_status(a->r, &a->head);
	return true;
}

static enum failure end_head(struct answer *a)
{
	if (a->use == ANSWER_IS_VERDICT) {
		take_verdict(a);
		return FAILURE_NONE;
	}
	if (a->use == ANSWER_IS_FILTERED) /* the length was that of what it was given */
		apr_table_unset(a->r->headers_out, "Content-Length");
	if (!take_fields(a))
		return FAILURE_MALFORMED;
	a->stage = ANSWER_BODY;
	if (a->use == ANSWER_IS_FILTERED)
		return FAILURE_NONE;
	judge_location(a);
	if (a->file != NULL || a->error != 0)
		a->stage = ANSWER_IGNORED;
	if (a->stage == ANSWER_BODY)
		judge_conditions(a);
	return FAILURE_NONE;
}

/* The head is longer than most. */
static bool grow(struct answer *a)
{
	struct fcgi_head *h = &a->head;

	if (h->cap >= HEAD_MAX)
		return false;
	h->buf = memcpy(apr_palloc(a->r->pool, HEAD_MAX), h->buf, h->len);
	h->cap = HEAD_MAX;
	h->state = FCGI_HEAD_MORE;
	return true;
}

static enum failure take_head(struct answer *a, const char **bytes, size_t *len)
{
	while (*len > 0 && a->stage == ANSWER_HEAD) {
		size_t used = fcgi_head_take(&a->head, *bytes, *len);

		*bytes += used;
		*len -= used;
		if (a->head.state == FCGI_HEAD_MALFORMED)
			return malformed(a, a->head.why, a->head.wrong);
		if (a->head.state == FCGI_HEAD_TOO_LONG && !grow(a))
			return malformed(a, "longer than 64 kB", NULL);
		if (a->head.state != FCGI_HEAD_READY)
			continue;
		if (a->head.status > 0 && a->head.status < 200)
			skip_interim(a);
		else
			return end_head(a);
	}
	return FAILURE_NONE;
}

/* ---- the body ---- */

/* A refusal may turn out not to count: it is kept until that is known. */
static enum failure keep(struct answer *a, const char *bytes, size_t len)
{
	apr_off_t so_far = 0;

	apr_brigade_length(a->bb, 0, &so_far);
	if (so_far + (apr_off_t)len > REFUSAL_MAX)
		return FAILURE_REFUSAL_TOO_LONG;
	return apr_brigade_write(a->bb, NULL, NULL, bytes, len) == APR_SUCCESS ? FAILURE_NONE : FAILURE_MALFORMED;
}

/* A small answer goes through httpd's filters once, with its end, though the application writes the two apart: so it gets a Content-Length too. */
static bool is_held(const struct answer *a)
{
	return a->waiting < HELD_MAX;
}

static enum failure add(struct answer *a, const char *bytes, size_t len)
{
	if (len == 0)
		return FAILURE_NONE;
	a->waiting += len;
	if (is_held(a))
		return apr_brigade_write(a->bb, NULL, NULL, bytes, len) == APR_SUCCESS ? FAILURE_NONE : FAILURE_MALFORMED;
	APR_BRIGADE_INSERT_TAIL(a->bb, apr_bucket_transient_create(bytes, len, a->bb->bucket_alloc));
	return FAILURE_NONE;
}

enum failure answer_take(struct answer *a, const char *bytes, size_t len)
{
	enum failure f = a->stage == ANSWER_HEAD ? take_head(a, &bytes, &len) : FAILURE_NONE;

	if (f != FAILURE_NONE || a->stage != ANSWER_BODY || a->client_left)
		return f;
	if (a->use == ANSWER_IS_VERDICT)
		return keep(a, bytes, len);
	if (a->left >= 0 && (apr_off_t)len > a->left)
		len = (size_t)a->left; /* never more than was promised */
	if (a->left >= 0)
		a->left -= (apr_off_t)len;
	return add(a, bytes, len);
}

/* Its head is not known to httpd: no filter that belongs to the request can make anything of it. */
static ap_filter_t *bare_connection(request_rec *r)
{
	ap_filter_t *f = r->proto_output_filters;

	while (f != NULL && f->frec->ftype < AP_FTYPE_CONNECTION)
		f = f->next;
	r->output_filters = r->proto_output_filters = f;
	r->connection->keepalive = AP_CONN_CLOSE; /* nobody knows where it ends */
	return f;
}

static void pass(struct answer *a)
{
	if (a->use == ANSWER_IS_UNPARSED && !a->passed)
		a->next = bare_connection(a->r);
	a->passed = true;
	a->waiting = 0;
	if (ap_pass_brigade(a->next != NULL ? a->next : a->r->output_filters, a->bb) != APR_SUCCESS || a->r->connection->aborted)
		a->client_left = true;
	apr_brigade_cleanup(a->bb);
}

void answer_pass(struct answer *a, bool flush)
{
	if (a->stage != ANSWER_BODY || a->client_left || a->use == ANSWER_IS_VERDICT)
		return;
	a->unflushed = !flush && (a->unflushed || a->waiting > 0 || !a->passed); /* a head without a byte of body too: an event stream that has opened */
	if (flush)
		APR_BRIGADE_INSERT_TAIL(a->bb, apr_bucket_flush_create(a->bb->bucket_alloc));
	else if (is_held(a))
		return;
	pass(a);
}

/* ---- the end ---- */

static bool is_short(const struct answer *a)
{
	return a->stage == ANSWER_BODY && a->left > 0 && !a->r->header_only && !AP_STATUS_IS_HEADER_ONLY(a->r->status);
}

static void add_file(struct answer *a)
{
	apr_finfo_t info;

	if (a->file == NULL || apr_file_info_get(&info, APR_FINFO_SIZE, a->file) != APR_SUCCESS)
		return;
	ap_set_content_length(a->r, info.size);
	if (info.size > 0)
		apr_brigade_insert_file(a->bb, a->file, 0, info.size, a->r->pool);
}

enum failure answer_end(struct answer *a)
{
	if (a->stage == ANSWER_HEAD)
		return a->head.len == 0 ? FAILURE_NO_OUTPUT : malformed(a, "no empty line behind it", NULL);
	if (a->use == ANSWER_IS_UNPARSED && !a->passed && a->waiting == 0)
		return FAILURE_NO_OUTPUT;
	if (is_short(a))
		return FAILURE_TRUNCATED;
	if (a->use == ANSWER_IS_VERDICT)
		return FAILURE_NONE;
	if (a->redirect != NULL || a->error != 0 || a->client_left)
		return FAILURE_NONE;
	add_file(a);
	if (!a->part)
		APR_BRIGADE_INSERT_TAIL(a->bb, apr_bucket_eos_create(a->bb->bucket_alloc));
	a->stage = ANSWER_OVER;
	pass(a);
	/* httpd would look for the next request first and write then.  Written first, the next one is often there when it looks, and the thread goes on with it. */
	if ((a->use == ANSWER_IS_RESPONSE || a->use == ANSWER_IS_UNPARSED) && a->r->main == NULL && a->r->connection->master == NULL)
		http_client_write(a->r->connection);
	return FAILURE_NONE;
}

void answer_deliver(struct answer *a)
{
	request_rec *r = a->r;

	if (!take_fields(a)) {
		r->status = HTTP_BAD_GATEWAY;
		apr_brigade_cleanup(a->bb);
	}
	if (a->head.status == 0)
		r->status = HTTP_MOVED_TEMPORARILY;
	APR_BRIGADE_INSERT_TAIL(a->bb, apr_bucket_eos_create(a->bb->bucket_alloc));
	a->stage = ANSWER_OVER;
	pass(a);
}

/* Over HTTP/1.0 the end of the connection is the end of the answer: only a reset says that it is not whole. */
static void reset_client(request_rec *r)
{
	struct linger at_once = {.l_onoff = 1};
	apr_socket_t *s = ap_get_conn_socket(r->connection);
	apr_os_sock_t fd;

	if (r->connection->master == NULL && s != NULL && apr_os_sock_get(&fd, s) == APR_SUCCESS)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	r->connection->aborted = 1;
}

void answer_break(struct answer *a)
{
	request_rec *r = a->r;
	apr_bucket_alloc_t *alloc = a->bb->bucket_alloc;
	bool framed = r->proto_num >= HTTP_VERSION(1, 1) || apr_table_get(r->headers_out, "Content-Length") != NULL;

	if (a->stage == ANSWER_OVER || a->client_left)
		return;
	a->stage = ANSWER_OVER;
	r->connection->keepalive = AP_CONN_CLOSE;
	APR_BRIGADE_INSERT_TAIL(a->bb, apr_bucket_flush_create(alloc));
	APR_BRIGADE_INSERT_TAIL(a->bb, ap_bucket_error_create(HTTP_BAD_GATEWAY, NULL, r->pool, alloc));
	APR_BRIGADE_INSERT_TAIL(a->bb, ap_bucket_eoc_create(alloc));
	APR_BRIGADE_INSERT_TAIL(a->bb, apr_bucket_eos_create(alloc));
	pass(a);
	if (!framed)
		reset_client(r);
}

int answer_fail(struct answer *a, int status)
{
	request_rec *r = a->r;

	if (a->stage == ANSWER_BODY && a->passed) {
		answer_break(a);
		return OK;
	}
	apr_brigade_cleanup(a->bb);
	apr_table_clear(r->headers_out);
	r->status = HTTP_OK;
	r->status_line = NULL;
	return status;
}

int answer_redirect(struct answer *a)
{
	request_rec *r = a->r;

	/* The new request has no body and is a GET, whatever this one was. */
	r->method = "GET";
	r->method_number = M_GET;
	apr_table_unset(r->headers_in, "Content-Length");
	apr_table_unset(r->headers_in, "Transfer-Encoding");
	ap_internal_redirect_handler(a->redirect, r);
	return OK;
}
