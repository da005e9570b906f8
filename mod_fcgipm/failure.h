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
	X(MALFORMED, "FP0109", HTTP_BAD_GATEWAY, 0, "the application's answer has no proper head:")                                                            \
	X(TRUNCATED, "FP0110", HTTP_BAD_GATEWAY, 0, "the answer is incomplete")                                                                                \
	X(NO_CONNECTION, "FP0111", HTTP_SERVICE_UNAVAILABLE, 1, "cannot connect")                                                                              \
	X(WAITING, "FP0112", HTTP_SERVICE_UNAVAILABLE, 1, "too many requests hold a thread for it (FcgipmMaxWaiting)")                                         \
	X(NO_LEASE, "FP0114", HTTP_SERVICE_UNAVAILABLE, 5, "not leased")                                                                                       \
	X(REFUSAL_TOO_LONG, "FP0116", HTTP_BAD_GATEWAY, 0, "the authorizer's refusal is longer than 1 MiB")

/* The same of programs that the exec broker runs: "profile NAME: ".  What an administrator has to set right is 500, as behind suexec. */
#define EXEC_FAILURES(X)                                                                                                                                       \
	X(EXEC_REFUSED, "FP0311", HTTP_INTERNAL_SERVER_ERROR, 0, "not run:")                                                                                   \
	X(EXEC_NOT_FOUND, "FP0312", HTTP_NOT_FOUND, 0, "not run:")                                                                                             \
	X(EXEC_BUSY, "FP0313", HTTP_SERVICE_UNAVAILABLE, 1, "not run:")                                                                                        \
	X(EXEC_UNABLE, "FP0314", HTTP_SERVICE_UNAVAILABLE, 5, "not run:")                                                                                      \
	X(EXEC_TOO_LARGE, "FP0315", HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, 0, "not run:")                                                                       \
	X(EXEC_FORBIDDEN, "FP0316", HTTP_FORBIDDEN, 0, "not run:")                                                                                             \
	X(EXEC_NO_BROKER, "FP0317", HTTP_SERVICE_UNAVAILABLE, 5, "the exec broker cannot be asked:")                                                           \
	X(EXEC_SILENCE, "FP0318", HTTP_GATEWAY_TIME_OUT, 0, "silent for too long (FcgipmTimeout):")                                                            \
	X(EXEC_NO_TURN, "FP0319", HTTP_SERVICE_UNAVAILABLE, 5, "its turn did not come in time (max_running, FcgipmTimeout):")                                  \
	X(EXEC_NO_OUTPUT, "FP0320", HTTP_INTERNAL_SERVER_ERROR, 0, "ended without an answer:")                                                                 \
	X(EXEC_MALFORMED, "FP0321", HTTP_INTERNAL_SERVER_ERROR, 0, "the answer has no proper head:")                                                           \
	X(EXEC_CUT_SHORT, "FP0322", HTTP_INTERNAL_SERVER_ERROR, 0, "the answer is cut short:")                                                                 \
	X(EXEC_LOST, "FP0323", HTTP_BAD_GATEWAY, 0, "lost with the exec broker:")                                                                              \
	X(EXEC_WAITING, "FP0324", HTTP_SERVICE_UNAVAILABLE, 1, "too many requests hold a thread for it (FcgipmMaxWaiting):")

#define FAILURE_ENUM(NAME, ...) FAILURE_##NAME,
enum failure {
	FAILURES(FAILURE_ENUM) FAILURE_OF_POOLS,
	FAILURE_BEFORE_EXEC = FAILURE_OF_POOLS - 1,
	EXEC_FAILURES(FAILURE_ENUM) FAILURE_COUNT,
	FAILURE_NONE = FAILURE_COUNT
};

/* Logs it by the name of its pool or profile, with detail behind the text unless that is NULL; counts it; sets Retry-After.  Returns the HTTP status. */
int failure_tell(request_rec *r, const char *name, struct pool_counters *counters, enum failure f, const char *detail);
/* As in FAILURES, without its prefix: "QUEUE_FULL". */
const char *failure_name(enum failure f);

#endif
