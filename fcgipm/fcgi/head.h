/* The head that an application writes before its body (RFC 3875, section 6): fields, an empty line.  Pure; it is collected in the caller's buffer.
 *
 *   used = fcgi_head_take(&h, bytes, len);  as often as bytes come, until h.state is no longer FCGI_HEAD_MORE: what is left of them is the body
 *   while (fcgi_head_next(&h, &f)) ...      the fields, without the status
 *   fcgi_head_reset(&h)                     behind an interim answer (1xx): another head follows
 *
 * Lines end with LF or CRLF.  A first line HTTP/1.1 201 Created (a non-parsed-header script's) counts as the status.  A line that begins with a blank
 * goes on with the field before it.
 */
#ifndef FCGIPM_FCGI_HEAD_H
#define FCGIPM_FCGI_HEAD_H

#include <stdbool.h>
#include <stddef.h>

enum fcgi_head_state {
	FCGI_HEAD_MORE, /* it goes on */
	FCGI_HEAD_READY,
	FCGI_HEAD_TOO_LONG, /* for the buffer */
	FCGI_HEAD_MALFORMED,
};

struct fcgi_field {
	const char *name, *value; /* in the buffer; NUL-terminated, without blanks around them */
};

struct fcgi_head {
	char *buf;
	size_t cap, len;
	enum fcgi_head_state state;
	size_t line; /* where the last line begins */
	size_t fields, next; /* once READY: the bytes of name NUL value NUL ..., and how many were told */
	int status; /* HTTP's, 100 to 999; 0: the head names none */
	const char *status_line; /* "201 Created", in the buffer; NULL without a status */
	const char *why, *wrong; /* once MALFORMED, for people: what is wrong with which line (in the buffer, any bytes) */
};

#define FCGI_HEAD(buffer, size) ((struct fcgi_head){.buf = (buffer), .cap = (size)})

/* Returns how many of the bytes belong to the head. */
size_t fcgi_head_take(struct fcgi_head *h, const char *bytes, size_t len);
/* The next field; false: there is none. */
bool fcgi_head_next(struct fcgi_head *h, struct fcgi_field *ret);
void fcgi_head_reset(struct fcgi_head *h);

#endif
