/* Listening sockets that a supervisor hands over at the start (sd_listen_fds(3)): they are matched to pools by name (FileDescriptorName=), else by address.  They stay
 * open as long as the launcher runs; their names, owners and modes are the supervisor's. */
#ifndef FCGIPM_LAUNCHER_HANDED_H
#define FCGIPM_LAUNCHER_HANDED_H

#include <stdbool.h>

#include "fcgipm/base/err.h"
#include "fcgipm/spec/spec.h"

struct launcher;

struct handed {
	int fd;
	char name[SPEC_NAME_MAX + 1]; /* "" when the supervisor gave none */
	char address[SPEC_UNIX_PATH_MAX + 1]; /* as listen: has it */
	bool taken; /* some pool is served from it */
};

/* Takes LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES out of the environment, and the descriptors from 3 on; whatever else is open from there on is closed.  0, or -errno:
 * a descriptor that is no listening stream socket, by number. */
int handed_take(struct launcher *l, struct fp_err *err);
/* The one for that pool.  0, and *ret NULL when there is none; -EADDRNOTAVAIL: the one of its name has another address than the file says. */
int handed_find(struct launcher *l, const struct spec_pool *spec, struct handed **ret, struct fp_err *err);
/* Says which were for nobody. */
void handed_report(const struct launcher *l);
void handed_close(struct launcher *l);

#endif
