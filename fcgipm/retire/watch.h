/* The moment between two requests of a worker that is never found idle: when the queue is never empty, a worker holds no connection only for the
 * microseconds from close() to accept(), and looks taken at random miss that.  So its system calls are watched (ptrace(2)): where a close() returns and
 * no connection is left, it stands still with none, and its stop signal is pending before it runs another instruction. */
#ifndef FCGIPM_RETIRE_WATCH_H
#define FCGIPM_RETIRE_WATCH_H

#include <sys/types.h>

#include "fcgipm/probe/queue.h"

enum watch_end {
	WATCH_SIGNALLED, /* it held no connection, and has its signal */
	WATCH_GONE, /* it ended meanwhile */
	WATCH_CANNOT /* it may not be traced, is traced by somebody else, or has too many threads */
};

struct watch {
	pid_t pid;
	int pidfd; /* of the same process: proof that the number is still its own */
	int signal;
	int diag;
	struct probe_listener listener;
};

/* Blocks until the end.  However the caller ends, the kernel lets the worker go on. */
enum watch_end watch_worker(const struct watch *w);

#endif
