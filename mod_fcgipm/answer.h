/* What the application writes, on its way to the client: the head becomes httpd's, the body goes into its filters (runs in httpd). */
#ifndef MOD_FCGIPM_ANSWER_H
#define MOD_FCGIPM_ANSWER_H

#include <httpd.h>
#include <apr_buckets.h>
#include <stdbool.h>
#include <util_filter.h>

#include "fcgipm/fcgi/head.h"
#include "mod_fcgipm/failure.h"

enum answer_stage {
	ANSWER_HEAD,
	ANSWER_BODY,
	ANSWER_IGNORED, /* what is to be sent is not the application's body: a redirect, a file */
	ANSWER_OVER, /* it went to the client whole, or as what is broken */
};

/* What the application's output is to the request. */
enum answer_use {
	ANSWER_IS_RESPONSE,
	ANSWER_IS_VERDICT, /* an authorizer's: 200 sets variables, anything else is kept, for answer_deliver() */
	ANSWER_IS_FILTERED, /* a filter's: its body takes the place of what it was given */
	ANSWER_IS_OUTPUT, /* a program's, without a head: all of it is the body */
	ANSWER_IS_UNPARSED, /* a non-parsed-header script's: what goes over the connection, head and all */
};

struct answer_wish {
	enum answer_use use;
	const char *root; /* what paths of the application begin with for us: its chroot */
	ap_filter_t *next; /* where it goes; NULL: the request's filters */
	bool part; /* of an answer: others add to it before and behind, and say where it ends */
};

struct answer {
	request_rec *r;
	enum answer_use use;
	ap_filter_t *next; /* NULL: the request's filters */
	enum answer_stage stage;
	struct fcgi_head head;
	apr_bucket_brigade *bb; /* what is to be passed on; points into the input until answer_pass() */
	const char *why; /* what is wrong with the head, for the log; NULL */
	apr_off_t left; /* of Content-Length; -1: it names none */
	const char *redirect; /* a path of this server, to be answered instead (RFC 3875, 6.2.2) */
	const char *root; /* what paths of the application begin with for us: its chroot */
	apr_file_t *file; /* X-Sendfile */
	int error; /* HTTP status that httpd is to answer with itself; 0 */
	size_t waiting; /* bytes of bb */
	bool passed; /* the client may have got a part */
	bool unflushed; /* something was taken, and no flush behind it */
	bool client_left;
	bool refused; /* a verdict that is not 200 */
	bool part; /* as wished */
};

void answer_init(struct answer *a, request_rec *r, const struct answer_wish *wish);
/* FAILURE_NONE, or what the answer is not. */
enum failure answer_take(struct answer *a, const char *bytes, size_t len);
/* Hands what was taken to httpd's filters, or keeps it if it is little and not to be flushed; the input may be overwritten then. */
void answer_pass(struct answer *a, bool flush);
/* The application has ended its answer.  FAILURE_NONE: then it is whole. */
enum failure answer_end(struct answer *a);
/* Sends a verdict that refuses, with its own status, fields and body. */
void answer_deliver(struct answer *a);
/* Nothing more comes, and the client has already got a part: it is to notice. */
void answer_break(struct answer *a);
/* It has failed with that HTTP status: a handler's return value.  httpd is to answer with it, unless the client has got a part, which is broken off then. */
int answer_fail(struct answer *a, int status);
/* Answers with the path of this server that the application has named.  A handler's return value. */
int answer_redirect(struct answer *a);

#endif
