/* fcgipm-retire PID SIGNAL: started by the launcher under a pool's account for one worker that looks never find idle.  Descriptor 0 is the listener, 3 the
 * worker's pidfd.  Its exit status is enum watch_end.  It holds no capability: it may do to the worker what the account may. */
#include <stdlib.h>
#include <sys/prctl.h>

#include "fcgipm/retire/watch.h"

enum { LISTENER_FD = 0, PIDFD = 3 };

int main(int argc, char **argv)
{
	struct watch w = {.pidfd = PIDFD};

	if (argc != 3)
		return WATCH_CANNOT;
	prctl(PR_SET_DUMPABLE, 0);
	w.pid = (pid_t)strtol(argv[1], NULL, 10);
	w.signal = (int)strtol(argv[2], NULL, 10);
	w.diag = probe_diag_open();
	if (w.diag < 0 || w.pid <= 1 || w.signal <= 0 || probe_listener_init(w.diag, LISTENER_FD, &w.listener) < 0)
		return WATCH_CANNOT;
	return (int)watch_worker(&w);
}
