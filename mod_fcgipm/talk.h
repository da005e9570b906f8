/* One request and the application that answers it, from the lease to the end (runs in httpd).  It never waits by itself: a waiting strategy (wait.h) does.
 *
 *   status = talk_begin(&talk, r, &wish);         OK: go on, else that is the answer
 *   while (!talk_step(talk, readable)) ...wait for what talk_wants() says, at most until its deadline; then talk_tick()
 *   return talk_end(talk);
 */
#ifndef MOD_FCGIPM_TALK_H
#define MOD_FCGIPM_TALK_H

#include <httpd.h>
#include <apr_buckets.h>
#include <apr_tables.h>
#include <stdbool.h>
#include <stdint.h>
#include <util_filter.h>

#include "mod_fcgipm/answer.h"
#include "mod_fcgipm/body.h"
#include "mod_fcgipm/exchange.h"
#include "mod_fcgipm/lessor.h"
#include "mod_fcgipm/params.h"
#include "mod_fcgipm/stderr.h"

struct talk_wish {
	const char *pool;
	uint16_t role; /* FCGI_RESPONDER, FCGI_AUTHORIZER, FCGI_FILTER */
	const apr_table_t *more; /* parameters beside the request's; NULL: none */
	apr_bucket_brigade *data; /* what a filter is to change, and how much that is */
	apr_off_t data_length;
	ap_filter_t *next; /* of a filter: where its answer goes */
};

struct talk {
	request_rec *r;
	struct lease *lease;
	struct params params;
	struct body body, data;
	struct exchange x;
	struct answer answer;
	struct stderr_lines errors;
	enum failure failure; /* FAILURE_NONE */
	const char *detail; /* of it */
	uint8_t *kept; /* what the socket did not take */
	bool over, retried, wants_body;
	bool no_body; /* the client's body cannot be had */
	int64_t began_ms, active_ms; /* when it connected; when a byte came or went, or somebody began to read */
	int64_t timeout_ms; /* FcgipmTimeout */
};

/* What it waits for. */
struct talk_wants {
	int fd;
	short events; /* of the application's socket, as for poll() */
	bool body; /* bytes from the client; else only its leaving matters */
	int64_t deadline_ms; /* fp_now_ms() at which talk_tick() is due */
};

int talk_begin(struct talk **ret, request_rec *r, const struct talk_wish *wish);
/* Moves what can be moved; readable: the application's socket may have something.  True: it is over. */
bool talk_step(struct talk *t, bool readable);
struct talk_wants talk_wants(const struct talk *t);
/* Sends to the client what it was not sent yet. */
void talk_flush(struct talk *t);
/* A deadline has come: flushes what stands, or ends what has waited too long. */
void talk_tick(struct talk *t);
/* The client has gone away. */
void talk_abort(struct talk *t);
/* A handler's return value.  Gives everything back. */
int talk_end(struct talk *t);
/* Ends it by a failure. */
void talk_fail(struct talk *t, enum failure f, const char *detail);

#endif
