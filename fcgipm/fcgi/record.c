/* FastCGI records (command line, web server modules).  Pure.  What it reads comes from an application or a web server that may be hostile: it never
 * reads past the input, and never believes a length beyond what the fields can hold. */
#include "fcgipm/fcgi/record.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

_Static_assert(FCGI_HEADER_LEN == sizeof(FCGI_Header) && FCGI_BODY_LEN == sizeof(FCGI_EndRequestBody), "the layout of the specification");

static void put_u16(uint8_t *out, uint16_t v)
{
	out[0] = (uint8_t)(v >> 8);
	out[1] = (uint8_t)v;
}

static uint16_t get_u16(const uint8_t *in)
{
	return (uint16_t)(in[0] << 8 | in[1]);
}

void fcgi_put_header(uint8_t out[FCGI_HEADER_LEN], const struct fcgi_header *h)
{
	out[0] = FCGI_VERSION_1;
	out[1] = h->type;
	put_u16(out + 2, h->id);
	put_u16(out + 4, h->content);
	out[6] = h->padding;
	out[7] = 0;
}

int fcgi_get_header(const uint8_t in[FCGI_HEADER_LEN], struct fcgi_header *ret)
{
	if (in[0] != FCGI_VERSION_1)
		return -EPROTO;
	*ret = (struct fcgi_header){.type = in[1], .id = get_u16(in + 2), .content = get_u16(in + 4), .padding = in[6]};
	return 0;
}

static uint8_t *put_fixed(uint8_t out[FCGI_RECORD_LEN], uint8_t type, uint16_t id)
{
	fcgi_put_header(out, &(struct fcgi_header){.type = type, .id = id, .content = FCGI_BODY_LEN});
	return memset(out + FCGI_HEADER_LEN, 0, FCGI_BODY_LEN);
}

void fcgi_put_begin(uint8_t out[FCGI_RECORD_LEN], uint16_t id, uint16_t role, uint8_t flags)
{
	uint8_t *body = put_fixed(out, FCGI_BEGIN_REQUEST, id);

	put_u16(body, role);
	body[2] = flags;
}

void fcgi_put_end(uint8_t out[FCGI_RECORD_LEN], uint16_t id, uint32_t app_status, uint8_t protocol_status)
{
	uint8_t *body = put_fixed(out, FCGI_END_REQUEST, id);

	put_u16(body, (uint16_t)(app_status >> 16));
	put_u16(body + 2, (uint16_t)app_status);
	body[4] = protocol_status;
}

void fcgi_put_unknown_type(uint8_t out[FCGI_RECORD_LEN], uint8_t type)
{
	*put_fixed(out, FCGI_UNKNOWN_TYPE, FCGI_NULL_REQUEST_ID) = type;
}

/* What a record of a type looks like, who may get it, and whether it is about the connection as a whole (request 0). */
enum shape { SHAPE_OTHER, SHAPE_FIXED, SHAPE_BARE, SHAPE_CONTENT };

static const struct {
	enum shape shape;
	enum fcgi_side side;
	bool management;
} types[FCGI_MAXTYPE + 1] = {
	[FCGI_BEGIN_REQUEST] = {SHAPE_FIXED, FCGI_APPLICATION, false}, [FCGI_ABORT_REQUEST] = {SHAPE_BARE, FCGI_APPLICATION, false},
	[FCGI_END_REQUEST] = {SHAPE_FIXED, FCGI_WEB_SERVER, false},    [FCGI_PARAMS] = {SHAPE_CONTENT, FCGI_APPLICATION, false},
	[FCGI_STDIN] = {SHAPE_CONTENT, FCGI_APPLICATION, false},       [FCGI_STDOUT] = {SHAPE_CONTENT, FCGI_WEB_SERVER, false},
	[FCGI_STDERR] = {SHAPE_CONTENT, FCGI_WEB_SERVER, false},       [FCGI_DATA] = {SHAPE_CONTENT, FCGI_APPLICATION, false},
	[FCGI_GET_VALUES] = {SHAPE_CONTENT, FCGI_APPLICATION, true},   [FCGI_GET_VALUES_RESULT] = {SHAPE_CONTENT, FCGI_WEB_SERVER, true},
	[FCGI_UNKNOWN_TYPE] = {SHAPE_OTHER, FCGI_WEB_SERVER, true},
};

static enum shape shape_of(const struct fcgi_reader *r)
{
	const struct fcgi_header *h = &r->header;

	if (h->type > FCGI_MAXTYPE || types[h->type].side != r->side || types[h->type].management != (h->id == FCGI_NULL_REQUEST_ID))
		return SHAPE_OTHER;
	return types[h->type].shape;
}

static void say(const struct fcgi_reader *r, enum fcgi_event_kind kind, struct fcgi_event *ret)
{
	*ret = (struct fcgi_event){.kind = kind, .type = r->header.type, .id = r->header.id};
	if (kind == FCGI_EVENT_BROKEN)
		ret->why = r->why;
}

static void break_off(struct fcgi_reader *r, const char *why, struct fcgi_event *ret)
{
	r->state = FCGI_READ_BROKEN;
	r->why = why;
	say(r, FCGI_EVENT_BROKEN, ret);
}

static void skip(struct fcgi_reader *r, uint32_t bytes)
{
	r->left = bytes;
	r->state = bytes > 0 ? FCGI_READ_SKIP : FCGI_READ_HEADER;
}

static void begin_fixed(struct fcgi_reader *r, struct fcgi_event *ret)
{
	if (r->header.content < FCGI_BODY_LEN)
		break_off(r, "sent a record that is too short", ret);
	else
		r->state = FCGI_READ_BODY;
}

static void begin_content(struct fcgi_reader *r, struct fcgi_event *ret)
{
	r->left = r->header.content;
	r->state = FCGI_READ_CONTENT;
	if (r->left > 0)
		return;
	skip(r, r->header.padding);
	say(r, FCGI_EVENT_CONTENT_END, ret);
}

static void begin_record(struct fcgi_reader *r, struct fcgi_event *ret)
{
	enum shape shape = shape_of(r);

	switch (shape) {
	case SHAPE_FIXED:
		begin_fixed(r, ret);
		break;
	case SHAPE_CONTENT:
		begin_content(r, ret);
		break;
	default:
		skip(r, (uint32_t)r->header.content + r->header.padding);
		say(r, shape == SHAPE_BARE ? FCGI_EVENT_ABORT : FCGI_EVENT_SKIPPED, ret);
	}
}

/* Collects the eight bytes of a header or a body.  True when they are there. */
static bool collect(struct fcgi_reader *r, const uint8_t *in, size_t len, size_t *ret_taken)
{
	size_t n = sizeof(r->part) - r->have;

	if (n > len)
		n = len;
	memcpy(r->part + r->have, in, n);
	r->have = (uint8_t)(r->have + n);
	*ret_taken = n;
	if (r->have < sizeof(r->part))
		return false;
	r->have = 0;
	return true;
}

static size_t read_header(struct fcgi_reader *r, const uint8_t *in, size_t len, struct fcgi_event *ret)
{
	size_t n;

	if (!collect(r, in, len, &n))
		return n;
	if (fcgi_get_header(r->part, &r->header) < 0)
		break_off(r, "does not speak FastCGI", ret);
	else
		begin_record(r, ret);
	return n;
}

static size_t read_body(struct fcgi_reader *r, const uint8_t *in, size_t len, struct fcgi_event *ret)
{
	size_t n;

	if (!collect(r, in, len, &n))
		return n;
	skip(r, (uint32_t)r->header.content - FCGI_BODY_LEN + r->header.padding);
	if (r->header.type == FCGI_BEGIN_REQUEST) {
		say(r, FCGI_EVENT_BEGIN, ret);
		ret->role = get_u16(r->part);
		ret->flags = r->part[2];
	} else {
		say(r, FCGI_EVENT_END, ret);
		ret->app_status = (uint32_t)get_u16(r->part) << 16 | get_u16(r->part + 2);
		ret->protocol_status = r->part[4];
	}
	return n;
}

static size_t read_content(struct fcgi_reader *r, const uint8_t *in, size_t len, struct fcgi_event *ret)
{
	size_t n = len < r->left ? len : r->left;

	r->left -= (uint32_t)n;
	say(r, FCGI_EVENT_CONTENT, ret);
	ret->at = in;
	ret->len = n;
	ret->rest = r->left;
	if (r->left == 0)
		skip(r, r->header.padding);
	return n;
}

static size_t read_skip(struct fcgi_reader *r, const uint8_t *in, size_t len, struct fcgi_event *ret)
{
	size_t n = len < r->left ? len : r->left;

	(void)in;
	(void)ret;
	skip(r, r->left - (uint32_t)n);
	return n;
}

static size_t read_broken(struct fcgi_reader *r, const uint8_t *in, size_t len, struct fcgi_event *ret)
{
	(void)in;
	say(r, FCGI_EVENT_BROKEN, ret);
	return len;
}

size_t fcgi_read(struct fcgi_reader *r, const uint8_t *in, size_t len, struct fcgi_event *ret)
{
	static size_t (*const readers[])(struct fcgi_reader *, const uint8_t *, size_t, struct fcgi_event *) = {
		[FCGI_READ_HEADER] = read_header, [FCGI_READ_BODY] = read_body,     [FCGI_READ_CONTENT] = read_content,
		[FCGI_READ_SKIP] = read_skip,     [FCGI_READ_BROKEN] = read_broken,
	};
	size_t used = 0;

	*ret = (struct fcgi_event){.kind = FCGI_EVENT_NONE};
	while (used < len && ret->kind == FCGI_EVENT_NONE)
		used += readers[r->state](r, in + used, len - used, ret);
	return used;
}
