/* One request on one connection, seen from the web server.  Pure: the caller moves the bytes, in whatever way it waits for them.
 *
 *   fcgi_client_begin(&c, &request);
 *   send:     n = fcgi_client_pull(&c, buf, sizeof(buf)), write them; while fcgi_client_wants(&c) says so, feed it what the application is to read.
 *   receive:  fcgi_client_receive() until all that was read is taken; at the end of the connection fcgi_client_eof().
 *
 * Both directions at once: an application may answer before it has read its input, and may end before that.  A parameter is never split over two
 * records unless it is too long for one (some applications understand each PARAMS record by itself).  Records for other requests are
 * never delivered.  Nothing is padded.  FCGI_EVENT_CONTENT_END of standard output or error is not told: only END_REQUEST ends an answer.
 */
#ifndef FCGIPM_FCGI_CLIENT_H
#define FCGIPM_FCGI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgipm/fcgi/params.h"
#include "fcgipm/fcgi/record.h"

enum { FCGI_CLIENT_ID = 1 };

struct fcgi_request {
	uint16_t role; /* FCGI_RESPONDER, FCGI_AUTHORIZER, FCGI_FILTER */
	const struct fcgi_pair *params; /* the caller's, texts included, until fcgi_client_wants() asks for content or nothing is left to be sent */
	size_t param_count;
};

enum fcgi_client_event_kind {
	FCGI_CLIENT_NONE, /* all input was taken */
	FCGI_CLIENT_STDOUT, /* at, len: they point into the input */
	FCGI_CLIENT_STDERR,
	FCGI_CLIENT_END, /* app_status, protocol_status (FCGI_REQUEST_COMPLETE, FCGI_OVERLOADED, ...; others are possible) */
	FCGI_CLIENT_BROKEN, /* why: there is no complete answer */
};

struct fcgi_client_event {
	enum fcgi_client_event_kind kind;
	const uint8_t *at;
	size_t len;
	uint32_t app_status;
	uint8_t protocol_status;
	const char *why; /* static: goes behind "the application" */
};

enum fcgi_client_stage { FCGI_SENDS_PARAMS, FCGI_SENDS_STDIN, FCGI_SENDS_DATA, FCGI_SENDS_NOTHING };

struct fcgi_client {
	struct fcgi_request request;
	/* sending */
	enum fcgi_client_stage stage;
	uint8_t head[FCGI_RECORD_LEN]; /* what goes before content */
	uint8_t head_len, head_sent;
	uint32_t content; /* bytes of the current record's content that are to be sent */
	size_t param; /* of request.params */
	uint64_t param_sent; /* bytes of it */
	const uint8_t *fed;
	size_t fed_len;
	bool fed_end;
	bool aborting, aborted; /* asked for, sent */
	/* receiving */
	struct fcgi_reader reader;
	bool over; /* END or BROKEN was told */
	bool any; /* something came */
	bool stray; /* a record for another request came */
};

/* 0; -EINVAL: a parameter longer than the protocol can say (2 GiB). */
int fcgi_client_begin(struct fcgi_client *c, const struct fcgi_request *request);

/* Bytes to be sent, at most cap; 0: none now, or no more since the request is over.  Any cap will do; 16 KiB are good. */
size_t fcgi_client_pull(struct fcgi_client *c, uint8_t *out, size_t cap);

/* The stream of which it wants bytes next: FCGI_STDIN, then FCGI_DATA of a filter; 0: not now, or no more. */
int fcgi_client_wants(const struct fcgi_client *c);
/* Feeds that stream; the bytes stay the caller's, and untouched until it wants more.  len 0 ends the stream, which has to be done even if there
 * was nothing to feed. */
void fcgi_client_feed(struct fcgi_client *c, const void *bytes, size_t len);
/* The web server's client has gone away: instead of more input FCGI_ABORT_REQUEST is sent; the application is still to end the request. */
void fcgi_client_abort(struct fcgi_client *c);

/* Takes received bytes until there is an event or none is left; returns how many.  After END or BROKEN it takes all and tells nothing. */
size_t fcgi_client_receive(struct fcgi_client *c, const uint8_t *in, size_t len, struct fcgi_client_event *ret);
/* The application has closed the connection: BROKEN, or NONE when the request was over. */
void fcgi_client_eof(struct fcgi_client *c, struct fcgi_client_event *ret);

#endif
