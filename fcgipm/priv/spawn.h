/* New processes of the launcher: children that go on in its own program, and children that become another.
 *
 * None is forked like by vfork() and becomes an account then, which could stop it (kill(-1, SIGSTOP)) or let it wait for a file, and hold the launcher.  What becomes an account does so
 * in a process of its own: a copy of the launcher (priv_fork), or fcgipm-start (priv_start), which costs half as much as a copy and holds nothing of the launcher's memory.
 */
#ifndef FCGIPM_PRIV_SPAWN_H
#define FCGIPM_PRIV_SPAWN_H

#include "fcgipm/priv/jail.h"

/* clone3(CLONE_PIDFD) with SIGCHLD (or clone, where a filter knows no clone3), as fork.
 * In the parent: the child's pid and *ret_pidfd (close-on-exec); in the child 0; or -errno. */
int priv_fork(int *ret_pidfd);

/* A child that is fcgipm-start and enters the jail, whose report_fd is set here.  starter: that program, opened.  *ret_report: where it reports, close-on-exec and non-blocking; its end without a report is the exec of the
 * program, or that it died.  cgroup of the jail: -ENOSYS where clone3 is unknown.  The child's pid and *ret_pidfd, or -errno.
 *
 * The launcher stands still from the clone to the exec of fcgipm-start: the child is root's (or of one account with the launcher) until then, opens nothing, and runs no line of anybody's. */
int priv_start(int starter, struct priv_jail *j, int *ret_report, int *ret_pidfd);
/* The child's part: becomes fcgipm-start, whose job has been sent to the other end of j->report_fd; or reports why not. */
void priv_start_exec(int starter, const struct priv_jail *j) __attribute__((noreturn));

#endif
