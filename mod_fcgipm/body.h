/* A request's body on its way to the application: streamed when its length is known, or need not be; else collected first (runs in httpd). */
#ifndef MOD_FCGIPM_BODY_H
#define MOD_FCGIPM_BODY_H

#include <httpd.h>
#include <apr_buckets.h>
#include <stdbool.h>

#include "fcgipm/fcgi/client.h"

struct body {
	request_rec *r;
	apr_bucket_brigade *bb; /* what was read and not sent yet; its first bucket may be handed out */
	apr_off_t length; /* -1: there is none */
	bool lent; /* the first bucket's bytes have been handed out */
	bool ended; /* httpd has no more */
	bool taken; /* something was read that cannot be read again */
	apr_status_t error; /* BODY_FAILED: of httpd's filters */
};

enum body_state { BODY_FED, BODY_LATER, BODY_FAILED };

/* OK, or the HTTP status to answer with.  Reads a chunked body to its end. */
int body_init(struct body *b, request_rec *r);
/* The same, but what is chunked is streamed too: length is -1 then, and ended false. */
int body_init_streamed(struct body *b, request_rec *r);
void body_init_none(struct body *b, request_rec *r);
/* Bytes that are all there; bb is taken. */
void body_init_brigade(struct body *b, request_rec *r, apr_bucket_brigade *bb, apr_off_t length);
/* The next bytes; none (BODY_FED and a length of 0): that was all.  They stand until the next call.  BODY_LATER: the client has sent nothing more yet;
 * BODY_FAILED: it is gone, or what it sends is no body. */
enum body_state body_next(struct body *b, const char **ret_at, size_t *ret_len);
/* Feeds the codec what it wants next. */
enum body_state body_feed(struct body *b, struct fcgi_client *codec);
/* Says 100 Continue where the client waits for that.  Nothing of an answer may have gone out. */
void body_invite(struct body *b);
/* Keeps what was read while the connection is given back. */
void body_settle(struct body *b);

#endif
