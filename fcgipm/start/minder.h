/* A process between the launcher and a program: whatever the program starts stays below it, also what leaves its session, and ends with it.  For systems where the
 * launcher may make no cgroup.  It is root's, so that the program's account cannot end it, keeps CAP_KILL alone, and has no descriptor open. */
#ifndef FCGIPM_START_MINDER_H
#define FCGIPM_START_MINDER_H

#include <stdbool.h>

/* Forks: returns in the program-to-be, 0 or -errno; the caller becomes the minder, and ends as the program does.  leaves: what is left then stays. */
int minder_fork(bool leaves);

#endif
