/* What a request carries: bytes of a known length (CONTENT_LENGTH has to be said before them). */
#ifndef FCGIPM_CLI_REQUEST_BODY_H
#define FCGIPM_CLI_REQUEST_BODY_H

#include <stdint.h>

#include "fcgipm/base/err.h"

struct request_body {
	int fd; /* a regular file or memfd, read from its start; -1: there is none */
	int64_t bytes, mtime;
};

/* BODY as it is, @FILE or - for standard input, which is read to its end first. */
int request_body_open(const char *what, struct request_body *ret, struct fp_err *err);
/* A file by its path. */
int request_body_open_file(const char *path, struct request_body *ret, struct fp_err *err);
void request_body_close(struct request_body *b);

#endif
