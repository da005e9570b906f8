/* The records of one FastCGI request (FastCGI specification 1.0, section 3): what is sent, as bytes; what arrives, as parts of streams. */
#ifndef FCGIPM_CLI_REQUEST_RECORDS_H
#define FCGIPM_CLI_REQUEST_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgipm/cli/request_body.h"
#include "fcgipm/cli/request_params.h"

/* Sending: the head (begin and parameters), then the streams piece by piece. */
struct records_out {
	const struct request_body *streams[2]; /* standard input; a filter's data, or NULL */
	unsigned stream;
	int64_t left; /* of this stream */
	uint8_t *bytes;
	size_t len, sent;
};

/* 0, -ENOMEM, or -EMSGSIZE: a parameter is too long. */
int records_out_init(struct records_out *o, enum request_role role, const struct request_params *params, const struct request_body *body,
		     const struct request_body *data);
/* What is to be sent next: 1 and o->bytes has some (from o->sent to o->len); 0: all was sent; -errno of reading; -EIO: a file became shorter. */
int records_out_next(struct records_out *o);
void records_out_fini(struct records_out *o);

/* Receiving. */
struct records_sink {
	void (*content)(void *ctx, uint8_t type, const char *bytes, size_t len); /* FCGI_STDOUT or FCGI_STDERR */
	void *ctx;
};

struct records_in {
	uint8_t head[8];
	size_t head_len;
	size_t content_left, padding_left;
	uint8_t end[8]; /* body of FCGI_END_REQUEST */
	size_t end_len;
	bool ended;
	uint32_t app_status;
	uint8_t protocol_status;
};

/* Takes whatever has arrived.  Records of other requests and of types that mean nothing to a client are passed over; behind the end nothing is
 * read.  0, or -EPROTO: that is no FastCGI. */
int records_in_feed(struct records_in *in, const uint8_t *bytes, size_t len, const struct records_sink *sink);

#endif
