/* A request and its application (runs in httpd). */
#include "mod_fcgipm/talk.h"

#include <apr_strings.h>
#include <errno.h>
#include <http_log.h>
#include <poll.h>
#include <string.h>

#include "fcgipm/base/clock.h"
#include "mod_fcgipm/config.h"
#include "mod_fcgipm/counters.h"
#include "mod_fcgipm/module.h"

APLOG_USE_MODULE(fcgipm);

enum {
	BUFFER = 60 * 1024, /* below httpd's FlushMaxThreshold: passing on what fits never waits for the client */
	SEND = 16 * 1024,
	FLUSH_MS = 5, /* an application that is silent for so long has paused */
	LOOKS = 4, /* in one FcgipmTimeout, at whether somebody has begun to read */
	CONNECT_MS = 5000, /* over TCP */
};

void talk_fail(struct talk *t, enum failure f, const char *detail)
{
	if (t->over)
		return;
	t->over = true;
	t->failure = f;
	t->detail = detail;
}

/* ---- connecting ---- */

static bool is_elsewhere(int error)
{
	return error == -ECONNREFUSED || error == -ENOENT || error == -ENOTSOCK;
}

static int connect_pool(struct talk *t, int *ret_fd, struct fcgipm_error *err)
{
	struct server_config *c = config_of_server(t->r->server);
	int r = fcgipm_connect(&t->lease->to, CONNECT_MS, ret_fd, err);
	struct lease *lease;

	if (!is_elsewhere(r))
		return r;
	lease = lessor_renew(c->lessor, t->lease, t->r->server);
	t->lease = lease;
	return lease != NULL ? fcgipm_connect(&lease->to, CONNECT_MS, ret_fd, err) : r;
}

static uint16_t role_of(const struct talk *t)
{
	return t->x.codec.request.role;
}

/* Connects and begins to speak. */
static int open_exchange(struct talk *t, uint16_t role)
{
	struct fcgi_request request = {.role = role, .params = t->params.pairs, .param_count = t->params.count};
	struct fcgipm_error err = {.code = 0};
	const char *pool = t->lease->to.pool;
	int fd = -1, r = connect_pool(t, &fd, &err);

	if (r == -EAGAIN)
		return failure_tell(t->r, pool, t->lease->counters, FAILURE_QUEUE_FULL, NULL);
	if (r < 0)
		return failure_tell(t->r, t->lease != NULL ? t->lease->to.pool : "", t->lease != NULL ? t->lease->counters : NULL, FAILURE_NO_CONNECTION,
				    apr_pstrdup(t->r->pool, err.text));
	if (exchange_begin(&t->x, fd, *t->lease->to.address == '/', &request) < 0) {
		exchange_end(&t->x);
		return HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
	}
	t->began_ms = t->active_ms = fp_now_ms();
	return OK;
}

static const char *root_of(const struct talk *t)
{
	const char *prefix = config_of(t->r)->chroot_prefix;

	if (prefix != NULL)
		return prefix;
	return strcmp(t->lease->to.chroot, "/") == 0 ? "" : apr_pstrdup(t->r->pool, t->lease->to.chroot);
}

static apr_status_t talk_cleanup(void *ctx)
{
	struct talk *t = ctx;

	exchange_end(&t->x);
	if (t->lease != NULL)
		gauges_add(t->lease->counters, GAUGE_CURRENT, -1);
	lease_put(t->lease);
	t->lease = NULL;
	return APR_SUCCESS;
}

static struct talk *talk_new(request_rec *r, struct lease *lease)
{
	struct talk *t = apr_palloc(r->pool, sizeof(*t));

	memset(t, 0, offsetof(struct talk, errors));
	t->errors.len = 0;
	t->over = t->retried = t->wants_body = t->no_body = false;
	t->kept = NULL;
	t->r = r;
	t->lease = lease;
	t->x.fd = -1;
	t->failure = FAILURE_NONE;
	t->timeout_ms = apr_time_as_msec(config_timeout(r));
	gauges_add(lease->counters, GAUGE_CURRENT, 1);
	counters_add(lease->counters, COUNTER_REQUESTS, 1);
	apr_pool_cleanup_register(r->pool, t, talk_cleanup, apr_pool_cleanup_null);
	return t;
}

static const enum answer_use uses[] = {[FCGI_RESPONDER] = ANSWER_IS_RESPONSE, [FCGI_AUTHORIZER] = ANSWER_IS_VERDICT, [FCGI_FILTER] = ANSWER_IS_FILTERED};

static int prepare(struct talk *t, const struct talk_wish *wish)
{
	const char *root = root_of(t);
	int status = OK;

	if (wish->role == FCGI_RESPONDER)
		status = body_init(&t->body, t->r);
	else
		body_init_none(&t->body, t->r);
	if (status != OK)
		return status;
	if (wish->role == FCGI_FILTER)
		body_init_brigade(&t->data, t->r, wish->data, wish->data_length);
	t->params = params_make(t->r, &(const struct params_wish){
					      .root = root, .content_length = t->body.length, .authorizer = wish->role == FCGI_AUTHORIZER, .more = wish->more});
	answer_init(&t->answer, t->r, &(const struct answer_wish){.use = uses[wish->role], .root = root, .next = wish->next});
	return open_exchange(t, wish->role);
}

int talk_begin(struct talk **ret, request_rec *r, const struct talk_wish *wish)
{
	struct server_config *c = config_of_server(r->server);
	struct lease *lease = config_is_pool_name(wish->pool) && c->lessor != NULL ? lessor_lease(c->lessor, wish->pool, r->server) : NULL;
	struct talk *t;
	int status;

	if (lease == NULL)
		return failure_tell(r, wish->pool, NULL, FAILURE_NO_LEASE, NULL);
	t = talk_new(r, lease);
	status = prepare(t, wish);
	if (status == OK) {
		*ret = t;
		return OK;
	}
	apr_pool_cleanup_run(r->pool, t, talk_cleanup);
	return status;
}

/* ---- moving bytes ---- */

static void keep_left(struct talk *t, size_t left)
{
	if (t->x.left >= t->kept && t->kept != NULL && t->x.left < t->kept + SEND)
		return; /* still what was kept before */
	if (t->kept == NULL)
		t->kept = apr_palloc(t->r->pool, SEND);
	memcpy(t->kept, t->x.left, left);
	exchange_keep(&t->x, t->kept, left);
}

/* The codec wants more of the request's body, or of what a filter is to change. */
static bool feed(void *ctx)
{
	struct talk *t = ctx;
	enum body_state s;

	if (t->x.deaf)
		return false;
	s = body_feed(fcgi_client_wants(&t->x.codec) == FCGI_DATA ? &t->data : &t->body, &t->x.codec);
	t->no_body = s == BODY_FAILED;
	t->wants_body = s == BODY_LATER;
	if (s == BODY_FED)
		t->active_ms = fp_now_ms();
	if (s == BODY_LATER && t->answer.stage == ANSWER_HEAD)
		body_invite(&t->body);
	return s == BODY_FED;
}

static void send_what_is_there(struct talk *t, uint8_t *buf)
{
	const struct exchange_source from = {.feed = feed, .ctx = t};
	size_t left;

	t->wants_body = false;
	left = exchange_send(&t->x, buf, SEND, &from);
	if (left > 0)
		keep_left(t, left);
	if (t->no_body)
		talk_abort(t);
}

/* X(FastCGI's protocol status, what that is to the client) */
#define PROTOCOL_STATUSES(X)                                                                                                                                   \
	X(FCGI_OVERLOADED, FAILURE_OVERLOADED)                                                                                                                 \
	X(FCGI_UNKNOWN_ROLE, FAILURE_UNKNOWN_ROLE)                                                                                                             \
	X(FCGI_CANT_MPX_CONN, FAILURE_REFUSED)

static void take_end(struct talk *t, unsigned protocol_status)
{
	enum failure f = FAILURE_REFUSED;

	exchange_end(&t->x); /* before the client is written to: some applications wait for it, and serve nobody meanwhile */
	switch (protocol_status) {
	case FCGI_REQUEST_COMPLETE:
		f = answer_end(&t->answer);
		break;
#define PROTOCOL_CASE(status, failure)                                                                                                                         \
	case status:                                                                                                                                           \
		f = failure;                                                                                                                                   \
		break;
		PROTOCOL_STATUSES(PROTOCOL_CASE)
	}
	if (f != FAILURE_NONE)
		talk_fail(t, f, t->answer.why);
	t->over = true;
}

static void take_event(struct talk *t, const struct fcgi_client_event *e)
{
	enum failure f;

	switch (e->kind) {
	case FCGI_CLIENT_STDOUT:
		f = answer_take(&t->answer, (const char *)e->at, e->len);
		if (f != FAILURE_NONE)
			talk_fail(t, f, t->answer.why);
		break;
	case FCGI_CLIENT_STDERR:
		stderr_take(&t->errors, t->r, &t->lease->errors, (const char *)e->at, e->len);
		break;
	case FCGI_CLIENT_END:
		take_end(t, e->protocol_status);
		break;
	case FCGI_CLIENT_BROKEN:
		talk_fail(t, FAILURE_LOST, e->why);
		break;
	case FCGI_CLIENT_NONE:
		break;
	}
}

static void take_bytes(struct talk *t, const uint8_t *at, size_t len)
{
	struct fcgi_client_event e;

	while (len > 0 && !t->over) {
		size_t n = fcgi_client_receive(&t->x.codec, at, len, &e);

		at += n;
		len -= n;
		take_event(t, &e);
	}
	if (!t->over)
		answer_pass(&t->answer, config_of(t->r)->flush == FLUSH_ON);
	if (t->answer.client_left)
		talk_abort(t);
}

/* RFC 9110, 9.2.2 */
static bool is_idempotent(const request_rec *r)
{
	switch (r->method_number) {
	case M_GET: /* and HEAD */
	case M_OPTIONS:
	case M_PUT:
	case M_DELETE:
	case M_TRACE:
		return true;
	}
	return false;
}

/* The worker died without a byte of an answer.  Once more, where that cannot do anything twice; the others of the pool accept from the same listener. */
static bool try_again(struct talk *t)
{
	uint16_t role = role_of(t);
	bool nobody_read = t->x.deaf && t->x.written == 0; /* not even the first write went through */

	if (t->retried || t->x.answered || t->body.taken || t->data.bb != NULL || !(is_idempotent(t->r) || nobody_read))
		return false;
	t->retried = true;
	counters_add(t->lease->counters, COUNTER_RETRIED, 1);
	ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, t->r, "FP0115: pool %s: the worker was lost before it answered: tried again", t->lease->to.pool);
	exchange_end(&t->x);
	if (open_exchange(t, role) == OK)
		return true;
	talk_fail(t, FAILURE_LOST, "could not be reached again");
	return true;
}

static void take_loss(struct talk *t, long error)
{
	struct fcgi_client_event e;

	if (try_again(t))
		return;
	fcgi_client_eof(&t->x.codec, &e);
	if (e.kind == FCGI_CLIENT_BROKEN && error < 0)
		e.why = "closed the connection without reading all of the request";
	take_event(t, &e);
}

static bool receive(struct talk *t, uint8_t *buf)
{
	long n = exchange_receive(&t->x, buf, BUFFER);

	if (n == -EAGAIN)
		return false;
	if (n <= 0) {
		take_loss(t, n);
		return false;
	}
	take_bytes(t, buf, (size_t)n);
	t->active_ms = fp_now_ms(); /* behind what the client may have taken its time for */
	return n == BUFFER;
}

bool talk_step(struct talk *t, bool readable)
{
	uint8_t *buf;

	if (t->over)
		return true;
	buf = apr_bucket_alloc(BUFFER, t->r->connection->bucket_alloc);
	if (fcgi_client_wants(&t->x.codec) != 0 || t->x.left_len > 0 || t->x.codec.stage != FCGI_SENDS_NOTHING)
		send_what_is_there(t, buf);
	while (readable && !t->over)
		readable = receive(t, buf) && !t->r->connection->data_in_output_filters;
	apr_bucket_free(buf);
	return t->over;
}

/* ---- waiting ---- */

/* In the queue nobody counts but queue.timeout; behind it silence does. */
static int64_t deadline(const struct talk *t)
{
	int64_t queue_ms = t->lease->to.queue_timeout_ms, look = fp_now_ms() + t->timeout_ms / LOOKS + 1;

	if (t->x.begun)
		return t->active_ms + t->timeout_ms;
	return queue_ms > 0 && t->began_ms + queue_ms < look ? t->began_ms + queue_ms : look;
}

struct talk_wants talk_wants(const struct talk *t)
{
	struct talk_wants w = {.fd = t->x.fd, .events = POLLIN, .body = t->wants_body, .deadline_ms = deadline(t)};

	if (t->x.left_len > 0)
		w.events |= POLLOUT;
	if (t->answer.unflushed && config_of(t->r)->flush != FLUSH_OFF && t->active_ms + FLUSH_MS < w.deadline_ms)
		w.deadline_ms = t->active_ms + FLUSH_MS;
	return w;
}

static void tick_queue(struct talk *t, int64_t now)
{
	if (!exchange_is_unread(&t->x))
		t->active_ms = now;
	else if (t->lease->to.queue_timeout_ms > 0 && now - t->began_ms >= t->lease->to.queue_timeout_ms)
		talk_fail(t, FAILURE_QUEUE_TIMEOUT, NULL);
}

void talk_flush(struct talk *t)
{
	if (t->answer.unflushed && config_of(t->r)->flush != FLUSH_OFF)
		answer_pass(&t->answer, true);
	if (t->answer.client_left)
		talk_abort(t);
}

void talk_tick(struct talk *t)
{
	int64_t now = fp_now_ms();

	talk_flush(t);
	if (!t->x.begun)
		tick_queue(t, now);
	else if (now - t->active_ms >= t->timeout_ms)
		talk_fail(t, FAILURE_SILENCE, NULL);
}

/* The application is told, and then not waited for. */
void talk_abort(struct talk *t)
{
	uint8_t record[64];

	if (t->over)
		return;
	fcgi_client_abort(&t->x.codec);
	if (t->x.left_len == 0)
		exchange_send(&t->x, record, sizeof(record), NULL);
	counters_add(t->lease->counters, COUNTER_ABORTED, 1);
	t->answer.client_left = true;
	t->r->connection->aborted = 1;
	t->over = true;
}

/* ---- the end ---- */

int talk_end(struct talk *t)
{
	int status = OK;

	stderr_end(&t->errors, t->r, &t->lease->errors);
	if (t->failure != FAILURE_NONE)
		status = answer_fail(&t->answer, failure_tell(t->r, t->lease->to.pool, t->lease->counters, t->failure, t->detail));
	else if (t->answer.error != 0)
		status = t->answer.error;
	apr_pool_cleanup_run(t->r->pool, t, talk_cleanup);
	return t->answer.redirect != NULL && t->failure == FAILURE_NONE ? answer_redirect(&t->answer) : status;
}
