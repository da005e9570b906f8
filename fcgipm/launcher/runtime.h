/* What the launcher holds beside processes: its directories, the lock, the control socket, the other roles' executables. */
#ifndef FCGIPM_LAUNCHER_RUNTIME_H
#define FCGIPM_LAUNCHER_RUNTIME_H

#include "fcgipm/base/err.h"

struct launcher;

/* Finds the directory of the running executable, opens /dev/null and sock_diag, decides whether an ordinary user runs us, looks up conf's account. */
int runtime_init(struct launcher *l, struct fp_err *err);
/* The default of manager.runtime_directory; malloc'd. */
char *runtime_default(const struct launcher *l);
/* Makes l->runtime and its directories, takes the lock, binds the control socket.  -EBUSY: another fcgipm runs there. */
int runtime_open(struct launcher *l, struct fp_err *err);
/* Removes what runtime_open made. */
void runtime_close(struct launcher *l);
/* An executable beside our own, close-on-exec, to be run by descriptor.  -errno. */
int runtime_open_role(const struct launcher *l, const char *name);

#endif
