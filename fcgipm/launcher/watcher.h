/* Watchers: processes of fcgipm-retire, one for a worker whose queue is never empty.  Each runs under the worker's own account without any capability, so
 * the launcher traces nobody itself. */
#ifndef FCGIPM_LAUNCHER_WATCHER_H
#define FCGIPM_LAUNCHER_WATCHER_H

#include <stdbool.h>

struct launcher;
struct worker;

/* Starts one, unless too many run or it could not watch this worker before. */
void watcher_start(struct launcher *l, struct worker *w);
/* True while one is at it.  One that has been for long (its account may have stopped it) is ended, and another takes its place. */
bool watcher_runs(struct worker *w);
/* Ends it, if there is one; the worker goes on. */
void watcher_end(struct worker *w);

#endif
