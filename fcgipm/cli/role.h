/* The other executables of fcgipm: ../libexec/fcgipm/fcgipm-ROLE, seen from the running one. */
#ifndef FCGIPM_CLI_ROLE_H
#define FCGIPM_CLI_ROLE_H

#include <stddef.h>

#include "fcgipm/base/err.h"

/* The path of role ("launcher") in buf.  0 or -errno. */
int role_path(const char *role, char *buf, size_t cap, struct fp_err *err);

/* Becomes it: argv without the name, which is argv[0] (to be left free).  Returns only on failure. */
int role_exec(const char *role, char **argv, struct fp_err *err);

/* Runs it with nothing to read and its messages thrown away, and keeps what it prints, without the last newline.
 * 0; -EPROTO: it failed, or printed nothing or too much; or why it could not be run. */
int role_output(const char *role, char **argv, char *buf, size_t cap, struct fp_err *err);

#endif
