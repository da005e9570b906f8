/* The records of one FastCGI request (command line).  Pure but for reading the files that are sent. */
#include "fcgipm/cli/request_records.h"

#include <errno.h>
#include <fastcgi.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* PHP takes no record whose content and padding together exceed 65535; pieces of this size need no padding to stay aligned. */
enum { PIECE = 32768, REQUEST_ID = 1 };

static void put_header(uint8_t *to, uint8_t type, size_t len)
{
	const FCGI_Header h = {
		.version = FCGI_VERSION_1,
		.type = type,
		.requestIdB0 = REQUEST_ID,
		.contentLengthB1 = (uint8_t)(len >> 8),
		.contentLengthB0 = (uint8_t)len,
	};

	memcpy(to, &h, sizeof(h));
}

/* ---- sending ---- */

static size_t put_length(uint8_t *to, size_t len)
{
	if (len < 128) {
		to[0] = (uint8_t)len;
		return 1;
	}
	to[0] = (uint8_t)(0x80 | len >> 24);
	to[1] = (uint8_t)(len >> 16);
	to[2] = (uint8_t)(len >> 8);
	to[3] = (uint8_t)len;
	return 4;
}

/* Names and values in one piece; the caller frees it. */
static int join_params(const struct request_params *p, uint8_t **ret, size_t *ret_len)
{
	size_t most = 1, len = 0;
	uint8_t *bytes;

	for (size_t i = 0; i < p->count; i++)
		most += 8 + strlen(p->list[i].name) + strlen(p->list[i].value);
	if (most > INT_MAX)
		return -EMSGSIZE;
	bytes = malloc(most);
	if (bytes == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < p->count; i++) {
		size_t name_len = strlen(p->list[i].name), value_len = strlen(p->list[i].value);

		len += put_length(bytes + len, name_len);
		len += put_length(bytes + len, value_len);
		memcpy(bytes + len, p->list[i].name, name_len);
		memcpy(bytes + len + name_len, p->list[i].value, value_len);
		len += name_len + value_len;
	}
	*ret = bytes;
	*ret_len = len;
	return 0;
}

static void put_begin(struct records_out *o, enum request_role role)
{
	/* No FCGI_KEEP_CONN: the application closes. */
	const FCGI_BeginRequestBody begin = {.roleB0 = (uint8_t)role};

	put_header(o->bytes, FCGI_BEGIN_REQUEST, sizeof(begin));
	memcpy(o->bytes + FCGI_HEADER_LEN, &begin, sizeof(begin));
	o->len = FCGI_HEADER_LEN + sizeof(begin);
}

/* A stream's records and the empty one that ends it. */
static void put_stream(struct records_out *o, uint8_t type, const uint8_t *bytes, size_t len)
{
	for (size_t at = 0; at <= len; at += PIECE) {
		size_t piece = len - at < PIECE ? len - at : PIECE;

		put_header(o->bytes + o->len, type, piece);
		memcpy(o->bytes + o->len + FCGI_HEADER_LEN, bytes + at, piece);
		o->len += FCGI_HEADER_LEN + piece;
		if (piece == 0)
			return;
		if (piece < PIECE)
			at = len - PIECE; /* the ending one is next */
	}
}

int records_out_init(struct records_out *o, enum request_role role, const struct request_params *params, const struct request_body *body,
		     const struct request_body *data)
{
	uint8_t *joined;
	size_t len, room;
	int r = join_params(params, &joined, &len);

	if (r < 0)
		return r;
	*o = (struct records_out){.streams = {body, role == REQUEST_FILTER ? data : NULL}, .left = body->bytes};
	room = len + (len / PIECE + 4) * FCGI_HEADER_LEN;
	if (room < PIECE + FCGI_HEADER_LEN)
		room = PIECE + FCGI_HEADER_LEN; /* the streams' pieces go into it later */
	o->bytes = malloc(room);
	if (o->bytes != NULL) {
		put_begin(o, role);
		put_stream(o, FCGI_PARAMS, joined, len);
	}
	free(joined);
	return o->bytes != NULL ? 0 : -ENOMEM;
}

static int read_piece(int fd, uint8_t *to, size_t want)
{
	ssize_t n;

	do {
		n = read(fd, to, want);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == 0 ? -EIO : (int)n;
}

int records_out_next(struct records_out *o)
{
	static const uint8_t types[] = {FCGI_STDIN, FCGI_DATA};
	int n = 0;

	if (o->sent < o->len)
		return 1;
	o->sent = o->len = 0;
	if (o->stream == 2 || o->streams[o->stream] == NULL)
		return 0;
	if (o->left > 0)
		n = read_piece(o->streams[o->stream]->fd, o->bytes + FCGI_HEADER_LEN, o->left < PIECE ? (size_t)o->left : PIECE);
	if (n < 0)
		return n;
	put_header(o->bytes, types[o->stream], (size_t)n);
	o->len = FCGI_HEADER_LEN + (size_t)n;
	o->left -= n;
	if (n == 0 && ++o->stream == 1 && o->streams[1] != NULL)
		o->left = o->streams[1]->bytes;
	return 1;
}

void records_out_fini(struct records_out *o)
{
	free(o->bytes);
	o->bytes = NULL;
}

/* ---- receiving ---- */

static uint8_t type_of(const struct records_in *in)
{
	const FCGI_Header *h = (const FCGI_Header *)(const void *)in->head;

	return (h->requestIdB1 << 8 | h->requestIdB0) == REQUEST_ID ? h->type : FCGI_MAXTYPE + 1;
}

static int take_header(struct records_in *in)
{
	const FCGI_Header *h = (const FCGI_Header *)(const void *)in->head;

	if (h->version != FCGI_VERSION_1)
		return -EPROTO;
	in->content_left = (size_t)h->contentLengthB1 << 8 | h->contentLengthB0;
	in->padding_left = h->paddingLength;
	in->end_len = 0;
	if (type_of(in) == FCGI_END_REQUEST && in->content_left != sizeof(FCGI_EndRequestBody))
		return -EPROTO;
	return 0;
}

static void take_end(struct records_in *in, const uint8_t *bytes, size_t len)
{
	memcpy(in->end + in->end_len, bytes, len); /* never above 8 altogether: take_header() has seen to it */
	in->end_len += len;
	if (in->end_len < sizeof(in->end))
		return;
	in->app_status = (uint32_t)in->end[0] << 24 | (uint32_t)in->end[1] << 16 | (uint32_t)in->end[2] << 8 | in->end[3];
	in->protocol_status = in->end[4];
	in->ended = true;
}

static void take_content(struct records_in *in, const uint8_t *bytes, size_t len, const struct records_sink *sink)
{
	uint8_t type = type_of(in);

	if (type == FCGI_END_REQUEST)
		take_end(in, bytes, len);
	else if (type == FCGI_STDOUT || type == FCGI_STDERR)
		sink->content(sink->ctx, type, (const char *)bytes, len);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

int records_in_feed(struct records_in *in, const uint8_t *bytes, size_t len, const struct records_sink *sink)
{
	int r = 0;

	while (len > 0 && !in->ended && r == 0) {
		size_t n;

		if (in->content_left > 0) {
			n = least(len, in->content_left);
			take_content(in, bytes, n, sink);
			in->content_left -= n;
		} else if (in->padding_left > 0) {
			n = least(len, in->padding_left);
			in->padding_left -= n;
		} else {
			n = least(len, sizeof(in->head) - in->head_len % sizeof(in->head));
			in->head_len = in->head_len % sizeof(in->head);
			memcpy(in->head + in->head_len, bytes, n);
			in->head_len += n;
			if (in->head_len == sizeof(in->head))
				r = take_header(in);
		}
		bytes += n;
		len -= n;
	}
	return r;
}
