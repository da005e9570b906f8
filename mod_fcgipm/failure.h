/* What can go wrong with a request: one row each, with its log id, its HTTP status and its text (runs in httpd). */
#ifndef MOD_FCGIPM_FAILURE_H
#define MOD_FCGIPM_FAILURE_H

#include <httpd.h>

struct pool_counters;

/* X(NAME, log id, HTTP status, Retry-After in seconds or 0, text behind "pool NAME: ").  Ids are never used again for something else. */
#define FAILURES(X)                                                                                                                                            \
	X(QUEUE_FULL, "FP0101", HTTP_SERVICE_UNAVAILABLE, 1, "its queue is full (queue.limit)")                                                                \
	X(QUEUE_TIMEOUT, "FP0102", HTTP_SERVICE_UNAVAILABLE, 5, "no worker began to read the request in time (queue.timeout)")                                 \
	X(SILENCE, "FP0103", HTTP_GATEWAY_TIME_OUT, 0, "the application was silent for too long (FcgipmTimeout)")                                              \
	X(LOST, "FP0104", HTTP_BAD_GATEWAY, 0, "the worker was lost: the application")                                                                         \
	X(OVERLOADED, "FP0105", HTTP_SERVICE_UNAVAILABLE, 1, "the application says that it is overloaded")                                                     \
	X(UNKNOWN_ROLE, "FP0106", HTTP_INTERNAL_SERVER_ERROR, 0, "the application does not know the role")                                                     \
	X(REFUSED, "FP0107", HTTP_BAD_GATEWAY, 0, "the application refused the request")                                                                       \
	X(NO_OUTPUT, "FP0108", HTTP_BAD_GATEWAY, 0, "the application ended the request without an answer")                                                     \
	X(MALFORMED, "FP0109", HTTP_BAD_GATEWAY, 0, "the application's answer has no proper head")                                                             \
	X(TRUNCATED, "FP0110", HTTP_BAD_GATEWAY, 0, "the answer is incomplete")                                                                                \
	X(NO_CONNECTION, "FP0111", HTTP_SERVICE_UNAVAILABLE, 1, "cannot connect")                                                                              \
	X(WAITING, "FP0112", HTTP_SERVICE_UNAVAILABLE, 1, "too many requests hold a thread for it (FcgipmMaxWaiting)")                                         \
	X(NO_LEASE, "FP0114", HTTP_SERVICE_UNAVAILABLE, 5, "not leased")                                                                                       \
	X(REFUSAL_TOO_LONG, "FP0116", HTTP_BAD_GATEWAY, 0, "the authorizer's refusal is longer than 1 MiB")

#define FAILURE_ENUM(NAME, ...) FAILURE_##NAME,
enum failure { FAILURES(FAILURE_ENUM) FAILURE_COUNT, FAILURE_NONE = FAILURE_COUNT };

/* Logs it, with detail behind the text unless that is NULL; counts it; sets Retry-After.  Returns the HTTP status. */
int failure_tell(request_rec *r, const char *pool, struct pool_counters *counters, enum failure f, const char *detail);
/* As in FAILURES, without its prefix: "QUEUE_FULL". */
const char *failure_name(enum failure f);

#endif
