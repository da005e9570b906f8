/* A process between the launcher and a program: whatever the program starts stays below it, also what leaves its session, and ends with it.  For systems where the
 * launcher may make no cgroup.  It is root's, so that the program's account cannot end it, keeps CAP_KILL alone, and has no descriptor open. */
#ifndef FCGIPM_PRIV_MINDER_H
#define FCGIPM_PRIV_MINDER_H

#include <signal.h>
#include <stdbool.h>

/* To the minder: SIGTERM goes on to the program's group; this one ends everything at once.  Never SIGKILL: what it minds would be nobody's. */
#define MINDER_KILL SIGUSR1

/* Forks: returns in the program-to-be, 0 or -errno; the caller becomes the minder and ends as the program does.  leaves: what is left then stays.
 * Async-signal-safe. */
int minder_fork(bool leaves);
/* In the program-to-be, when its account is final: it ends with its minder.  0 or -errno. */
int minder_bind(void);

#endif
