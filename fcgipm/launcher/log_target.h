/* Where the log goes: manager.log.target, opened. */
#ifndef FCGIPM_LAUNCHER_LOG_TARGET_H
#define FCGIPM_LAUNCHER_LOG_TARGET_H

#include "fcgipm/base/err.h"

struct launcher;

/* Opens (anew) what l->log_target names (NULL: stderr); the log goes there from now on.  On failure it stays where it is. */
int log_target_open(struct launcher *l, struct fp_err *err);
/* l->log_level and l->log_format hold from now on. */
void log_target_settle(const struct launcher *l);
/* The log for a manager: a descriptor for the caller to close, or negative.  A socket is another one than ours: whoever shares one can shut it down, or take
 * its timeout away. */
int log_target_share(const struct launcher *l);
/* Descriptors 1 and 2 of a manager: what its libraries say.  It stays the launcher's. */
int log_target_stderr(const struct launcher *l);

#endif
