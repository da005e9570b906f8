/* Refusals (runs in httpd's children). */
#include "mod_fcgipm/refusals.h"

#include <errno.h>

#include "include/fcgipm/refusal.h"

/* X(refusal, what that is to the client); all others are for an administrator to set right */
#define REFUSALS(X)                                                                                                                                            \
	X(MISSING, FAILURE_EXEC_NOT_FOUND)                                                                                                                     \
	X(BUSY, FAILURE_EXEC_BUSY)                                                                                                                             \
	X(CLIENT_GONE, FAILURE_EXEC_UNABLE)                                                                                                                    \
	X(ENDING, FAILURE_EXEC_UNABLE)                                                                                                                         \
	X(OVERDUE, FAILURE_EXEC_UNABLE)                                                                                                                        \
	X(RESOURCES, FAILURE_EXEC_UNABLE)                                                                                                                      \
	X(TOO_LARGE, FAILURE_EXEC_TOO_LARGE)                                                                                                                   \
	X(ARGUMENTS, FAILURE_EXEC_FORBIDDEN)

enum failure refusal_failure(int refusal)
{
	switch (refusal) {
#define REFUSAL_CASE(NAME, failure)                                                                                                                            \
	case FCGIPM_REFUSED_##NAME:                                                                                                                            \
		return failure;
		REFUSALS(REFUSAL_CASE)
	}
	return FAILURE_EXEC_REFUSED;
}

enum failure refusal_of_error(int error)
{
	switch (error) {
	case -E2BIG:
		return FAILURE_EXEC_TOO_LARGE;
	case -EACCES:
		return FAILURE_EXEC_REFUSED;
	case -EAGAIN:
		return FAILURE_EXEC_BUSY;
	case -ENOENT:
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -ETIMEDOUT:
	case -EPROTO:
		return FAILURE_EXEC_NO_BROKER;
	}
	return FAILURE_EXEC_UNABLE;
}

enum failure refusal_of_local(int error)
{
	return error == -ENOENT ? FAILURE_EXEC_NOT_FOUND : error == -EACCES ? FAILURE_EXEC_REFUSED : FAILURE_EXEC_UNABLE;
}
