/* One FastCGI request as a web server makes it (command line, web server modules).  Pure. */
#include "fcgipm/fcgi/client.h"

#include <errno.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

int fcgi_client_begin(struct fcgi_client *c, const struct fcgi_request *request)
{
	for (size_t i = 0; i < request->param_count; i++)
		if (!fcgi_pair_fits(&request->params[i]))
			return -EINVAL;
	*c = (struct fcgi_client){.request = *request, .reader = FCGI_READER(FCGI_WEB_SERVER), .head_len = FCGI_RECORD_LEN};
	fcgi_put_begin(c->head, FCGI_CLIENT_ID, request->role, 0);
	return 0;
}

static void put_head(struct fcgi_client *c, uint8_t type, size_t content)
{
	fcgi_put_header(c->head, &(struct fcgi_header){.type = type, .id = FCGI_CLIENT_ID, .content = (uint16_t)content});
	c->head_len = FCGI_HEADER_LEN;
	c->head_sent = 0;
	c->content = (uint32_t)content;
}

/* How much of the parameters the next record takes: as many whole ones as it can hold, or a piece of one that no record can. */
static size_t plan_params(const struct fcgi_client *c)
{
	uint64_t planned = 0;

	for (size_t i = c->param; i < c->request.param_count; i++) {
		uint64_t left = fcgi_pair_size(&c->request.params[i]) - (i == c->param ? c->param_sent : 0);

		if (planned + left > FCGI_MAX_LENGTH)
			return planned > 0 ? (size_t)planned : FCGI_MAX_LENGTH;
		planned += left;
	}
	return (size_t)planned;
}

static bool next_params(struct fcgi_client *c)
{
	size_t n = plan_params(c);

	put_head(c, FCGI_PARAMS, n);
	if (n == 0)
		c->stage = FCGI_SENDS_STDIN;
	return true;
}

static bool next_fed(struct fcgi_client *c, uint8_t type)
{
	if (c->fed_len == 0 && !c->fed_end)
		return false;
	put_head(c, type, least(c->fed_len, FCGI_MAX_LENGTH));
	if (c->fed_len == 0) {
		c->fed_end = false;
		c->stage = type == FCGI_STDIN && c->request.role == FCGI_FILTER ? FCGI_SENDS_DATA : FCGI_SENDS_NOTHING;
	}
	return true;
}

/* Begins the next record; false: there is nothing to say now. */
static bool next_record(struct fcgi_client *c)
{
	if (c->aborting && !c->aborted) {
		put_head(c, FCGI_ABORT_REQUEST, 0);
		c->aborted = true;
		c->stage = FCGI_SENDS_NOTHING;
		return true;
	}
	switch (c->stage) {
	case FCGI_SENDS_PARAMS:
		return next_params(c);
	case FCGI_SENDS_STDIN:
		return next_fed(c, FCGI_STDIN);
	case FCGI_SENDS_DATA:
		return next_fed(c, FCGI_DATA);
	default:
		return false;
	}
}

static void copy_params(struct fcgi_client *c, uint8_t *out, size_t len)
{
	while (len > 0) {
		const struct fcgi_pair *p = &c->request.params[c->param];
		size_t n = fcgi_pair_copy(p, c->param_sent, out, len);

		out += n;
		len -= n;
		c->param_sent += n;
		if (c->param_sent == fcgi_pair_size(p)) {
			c->param++;
			c->param_sent = 0;
		}
	}
}

static void copy_fed(struct fcgi_client *c, uint8_t *out, size_t len)
{
	memcpy(out, c->fed, len);
	c->fed += len;
	c->fed_len -= len;
}

/* Bytes of the record that has begun. */
static size_t pull_record(struct fcgi_client *c, uint8_t *out, size_t cap)
{
	size_t head = least((size_t)c->head_len - c->head_sent, cap), content = least(c->content, cap - head);

	memcpy(out, c->head + c->head_sent, head);
	c->head_sent = (uint8_t)(c->head_sent + head);
	c->content -= (uint32_t)content;
	if (content == 0)
		return head;
	if (c->stage == FCGI_SENDS_PARAMS)
		copy_params(c, out + head, content);
	else
		copy_fed(c, out + head, content);
	return head + content;
}

size_t fcgi_client_pull(struct fcgi_client *c, uint8_t *out, size_t cap)
{
	size_t done = 0;

	if (c->over)
		return 0;
	do
		done += pull_record(c, out + done, cap - done);
	while (done < cap && next_record(c));
	return done;
}

int fcgi_client_wants(const struct fcgi_client *c)
{
	if (c->over || c->aborting || c->fed_len > 0 || c->fed_end)
		return 0;
	if (c->stage == FCGI_SENDS_STDIN)
		return FCGI_STDIN;
	return c->stage == FCGI_SENDS_DATA ? FCGI_DATA : 0;
}

void fcgi_client_feed(struct fcgi_client *c, const void *bytes, size_t len)
{
	c->fed = bytes;
	c->fed_len = len;
	c->fed_end = len == 0;
}

void fcgi_client_abort(struct fcgi_client *c)
{
	c->aborting = true;
}

static void break_off(struct fcgi_client *c, const char *why, struct fcgi_client_event *ret)
{
	c->over = true;
	*ret = (struct fcgi_client_event){.kind = FCGI_CLIENT_BROKEN, .why = why};
}

static void take_event(struct fcgi_client *c, const struct fcgi_event *e, struct fcgi_client_event *ret)
{
	if (e->kind == FCGI_EVENT_NONE)
		return;
	if (e->kind == FCGI_EVENT_BROKEN) {
		break_off(c, e->why, ret);
	} else if (e->id != FCGI_CLIENT_ID) {
		c->stray = c->stray || e->id != FCGI_NULL_REQUEST_ID;
	} else if (e->kind == FCGI_EVENT_END) {
		c->over = true;
		*ret = (struct fcgi_client_event){.kind = FCGI_CLIENT_END, .app_status = e->app_status, .protocol_status = e->protocol_status};
	} else if (e->kind == FCGI_EVENT_CONTENT) {
		enum fcgi_client_event_kind kind = e->type == FCGI_STDOUT ? FCGI_CLIENT_STDOUT : FCGI_CLIENT_STDERR;

		*ret = (struct fcgi_client_event){.kind = kind, .at = e->at, .len = e->len};
	}
}

size_t fcgi_client_receive(struct fcgi_client *c, const uint8_t *in, size_t len, struct fcgi_client_event *ret)
{
	struct fcgi_event e;
	size_t used = 0;

	*ret = (struct fcgi_client_event){.kind = FCGI_CLIENT_NONE};
	if (c->over)
		return len;
	c->any = c->any || len > 0;
	while (used < len && ret->kind == FCGI_CLIENT_NONE) {
		used += fcgi_read(&c->reader, in + used, len - used, &e);
		take_event(c, &e, ret);
	}
	return used;
}

void fcgi_client_eof(struct fcgi_client *c, struct fcgi_client_event *ret)
{
	*ret = (struct fcgi_client_event){.kind = FCGI_CLIENT_NONE};
	if (c->over)
		return;
	if (!c->any)
		break_off(c, "closed the connection without an answer", ret);
	else if (c->stray)
		break_off(c, "answered another request than the one it was sent, and closed the connection", ret);
	else if (!fcgi_reader_at_rest(&c->reader))
		break_off(c, "closed the connection within a record", ret);
	else
		break_off(c, "closed the connection before the end of its answer", ret);
}
