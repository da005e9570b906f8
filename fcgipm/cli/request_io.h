/* One FastCGI request on a connected socket, both ways at once. */
#ifndef FCGIPM_CLI_REQUEST_IO_H
#define FCGIPM_CLI_REQUEST_IO_H

#include <stdint.h>
#include <stdio.h>

#include "fcgipm/base/err.h"
#include "fcgipm/cli/request_answer.h"
#include "fcgipm/cli/request_body.h"
#include "fcgipm/cli/request_params.h"

struct request {
	enum request_role role;
	const struct request_params *params;
	struct request_body body, data;
	int64_t deadline_ms; /* INT64_MAX: none */
	struct request_answer *answer;
	FILE *err; /* the application's standard error */
};

/* What came of it. */
struct request_end {
	uint32_t app_status;
	int protocol_status; /* FCGI_REQUEST_COMPLETE and so on */
};

/* Sends, and passes on what comes until the application says that it has ended.  socket is non-blocking, and stays the
 * caller's. 0; -ETIMEDOUT; -ECONNRESET: the connection ended first; -EPROTO: it speaks no FastCGI; others as of reading
 * and writing. */
int request_run(int socket, const struct request *q, struct request_end *ret, struct fp_err *err);

#endif
