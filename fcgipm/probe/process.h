/* What /proc says of a worker: does it hold a connection of the listener, does it wait for one.  The launcher calls this on workers that it
 * is the parent of and has not reaped, so their pids cannot be somebody else's. */
#ifndef FCGIPM_PROBE_PROCESS_H
#define FCGIPM_PROBE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fcgipm/probe/queue.h"

enum { PROBE_TREE_MAX = 64 };

/* The worker and those of its descendants that share its session, at most PROBE_TREE_MAX (/proc/PID/task/TID/children; where the kernel has none, the worker alone). Returns the count. */
unsigned probe_tree(pid_t leader, pid_t *ret_pids, unsigned max);

enum probe_work {
	PROBE_SERVING, /* a descriptor of it is a connection of the listener */
	PROBE_WAITING, /* none is, and a thread waits in accept, select, poll or epoll on the listener */
	PROBE_BOOTING, /* neither */
	PROBE_BLIND /* /proc would not say (-EACCES) */
};
/* Looks at every process of the tree.  diag as above.  may_peek: what a thread in select or poll waits for is read from its memory, by a child, which takes a
 * millisecond or several; without it such a thread counts as BOOTING. */
enum probe_work probe_work_of(int diag, const struct probe_listener *l, const pid_t *pids, unsigned count, bool may_peek);

/* SIGSTOP and the wait for it to take effect, at most limit_us; then only descriptors are asked for.  On return the tree is stopped unless -ETIMEDOUT, -ESRCH.
 * The caller continues it with probe_thaw, always. */
int probe_freeze(pid_t leader, pid_t *ret_pids, unsigned *ret_count, int64_t limit_us);
void probe_thaw(const pid_t *pids, unsigned count);
/* What to send to a stopped process in place of that signal.  SIGKILL where that would pass it by, being ignored by wish or by default (signal(7)): it would
 * accept on until stop.timeout.  And where that ends it without a handler of its own, which is the same to it, if it has several threads: what a stopped process
 * is sent is seen by one thread when all go on, and the others may accept before it ends them; SIGKILL ends all at once. */
int probe_stop_signal(pid_t pid, int signal);
/* A signal for a process that is to take it before it accepts once more: to its main thread, unless that blocks it.  The caller has the process so that its
 * number is its own. */
void probe_signal(pid_t pid, int signal);
/* True when a process of the tree holds a connection of the listener; -errno when it cannot be seen. */
int probe_holds_connection(int diag, const struct probe_listener *l, const pid_t *pids, unsigned count);

/* Resident memory in bytes (statm), or -errno. */
int64_t probe_memory(pid_t pid);

#endif
