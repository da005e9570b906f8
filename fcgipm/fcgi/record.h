/* FastCGI records, both ways (FastCGI specification 1.0, section 3).  Pure: bytes in, bytes out, no allocation, no I/O.
 *
 * The reader takes bytes as they come, one at a time if need be, and yields events.  Content is never collected: its pieces point into the
 * caller's input.  What the reader's own side may not get (a web server: BEGIN_REQUEST), what belongs to no request or is unknown is skipped
 * and told as FCGI_EVENT_SKIPPED.  Whose request a record belongs to is for the caller to look at: event.id.
 */
#ifndef FCGIPM_FCGI_RECORD_H
#define FCGIPM_FCGI_RECORD_H

#include <fastcgi.h>
#include <stddef.h>
#include <stdint.h>

enum { FCGI_BODY_LEN = 8, FCGI_RECORD_LEN = FCGI_HEADER_LEN + FCGI_BODY_LEN };

struct fcgi_header {
	uint8_t type;
	uint16_t id;
	uint16_t content; /* bytes, at most FCGI_MAX_LENGTH */
	uint8_t padding; /* some applications refuse a record of which content and padding together are longer: send 0 */
};

void fcgi_put_header(uint8_t out[FCGI_HEADER_LEN], const struct fcgi_header *h);
/* 0, or -EPROTO: another version, thus hardly FastCGI. */
int fcgi_get_header(const uint8_t in[FCGI_HEADER_LEN], struct fcgi_header *ret);

/* Whole records of a fixed length. */
void fcgi_put_begin(uint8_t out[FCGI_RECORD_LEN], uint16_t id, uint16_t role, uint8_t flags);
void fcgi_put_end(uint8_t out[FCGI_RECORD_LEN], uint16_t id, uint32_t app_status, uint8_t protocol_status);
void fcgi_put_unknown_type(uint8_t out[FCGI_RECORD_LEN], uint8_t type);

enum fcgi_side { FCGI_APPLICATION, FCGI_WEB_SERVER };

enum fcgi_event_kind {
	FCGI_EVENT_NONE, /* all input was taken, more is needed */
	FCGI_EVENT_BEGIN, /* role, flags */
	FCGI_EVENT_ABORT,
	FCGI_EVENT_END, /* app_status, protocol_status */
	FCGI_EVENT_CONTENT, /* at, len (never 0) of PARAMS, STDIN, DATA, STDOUT, STDERR, GET_VALUES or GET_VALUES_RESULT */
	FCGI_EVENT_CONTENT_END, /* an empty record of such a type: the stream ends */
	FCGI_EVENT_SKIPPED, /* a record of which nothing more is told */
	FCGI_EVENT_BROKEN, /* why; nothing can be read any more */
};

struct fcgi_event {
	enum fcgi_event_kind kind;
	uint8_t type; /* of the record */
	uint16_t id;
	union {
		struct {
			const uint8_t *at;
			size_t len, rest; /* rest: bytes of this record's content that are still to come */
		};
		struct {
			uint16_t role;
			uint8_t flags;
		};
		struct {
			uint32_t app_status;
			uint8_t protocol_status;
		};
		const char *why; /* static: goes behind "the application" */
	};
};

enum fcgi_reader_state { FCGI_READ_HEADER, FCGI_READ_BODY, FCGI_READ_CONTENT, FCGI_READ_SKIP, FCGI_READ_BROKEN };

struct fcgi_reader {
	enum fcgi_side side;
	enum fcgi_reader_state state;
	struct fcgi_header header;
	uint8_t have; /* bytes in part */
	uint8_t part[FCGI_HEADER_LEN]; /* a header or a body of eight bytes */
	uint32_t left; /* bytes of content or of what is skipped */
	const char *why;
};

#define FCGI_READER(reading_side) ((struct fcgi_reader){.side = (reading_side)})

/* Takes bytes until there is an event or none is left; returns how many.  Call it until all is taken; once broken it takes everything and
 * yields FCGI_EVENT_BROKEN for good. */
size_t fcgi_read(struct fcgi_reader *r, const uint8_t *in, size_t len, struct fcgi_event *ret);

/* Between two records: where a connection may end. */
static inline int fcgi_reader_at_rest(const struct fcgi_reader *r)
{
	return r->state == FCGI_READ_HEADER && r->have == 0;
}

#endif
