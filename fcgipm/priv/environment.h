/* A file of NAME=VALUE lines, as a worker's environment.  Read on the way to exec, with the account's rights. */
#ifndef FCGIPM_PRIV_ENVIRONMENT_H
#define FCGIPM_PRIV_ENVIRONMENT_H

#include <stddef.h>

enum { PRIV_ENVIRONMENT_BYTES = 64 << 10, PRIV_ENVIRONMENT_NAMES = 8192, PRIV_PRELOAD_BYTES = 4096 };

struct priv_environment {
	const char *envp[PRIV_ENVIRONMENT_NAMES + 1]; /* NULL-terminated */
	unsigned count;
	char text[PRIV_ENVIRONMENT_BYTES + 1]; /* of the file; envp points into it */
	char preload[PRIV_PRELOAD_BYTES];
};

/* Begins with what is given (which must outlive e).  0 or -E2BIG. */
int priv_environment_begin(struct priv_environment *e, const char *const *envp);
/* Adds the file; a name that is there already gets the new value.  Lines: NAME=VALUE, one pair of quotes around the value is left out, nothing is expanded;
 * empty lines and those that begin with # say nothing.  0; -EINVAL with the number of the line that is none of these; -EFBIG; -EISDIR, or -EINVAL with
 * line 0 for what else is no regular file; or -errno. */
int priv_environment_read(struct priv_environment *e, const char *path, unsigned *ret_line);
/* Puts library in front of LD_PRELOAD, and adds variable (NAME=VALUE).  0, or -E2BIG. */
int priv_environment_preload(struct priv_environment *e, const char *library, const char *variable);
/* The lines of len bytes at e->text alone, as above. */
int priv_environment_parse(struct priv_environment *e, size_t len, unsigned *ret_line);

#endif
