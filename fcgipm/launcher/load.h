/* Loading the configuration: the launcher opens the files, conf judges them, the floors are checked, look sees each changed pool's world under the
 * pool's own account.  Nothing that runs is touched before all of it is good. */
#ifndef FCGIPM_LAUNCHER_LOAD_H
#define FCGIPM_LAUNCHER_LOAD_H

#include "fcgipm/base/err.h"

struct launcher;

/* CHECK: judge everything, print, end.  START: begin to serve; what looks find comes later and fails single pools.  RELOAD: all or nothing. */
enum load_kind { LOAD_CHECK, LOAD_START, LOAD_RELOAD };

/* Begins; the rest happens in the loop.  -errno when not even that was possible (the file cannot be opened). */
int load_start(struct launcher *l, enum load_kind kind, struct fp_err *err);
/* The manager has settled: what the start put off, the looks, may begin. */
void load_settled(struct launcher *l);
/* Gives up what is under way. */
void load_cancel(struct launcher *l);

#endif
