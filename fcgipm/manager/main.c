/* fcgipm-manager: decides how many workers each pool has.  It runs as manager.user, without any capability, and asks the launcher for whatever it wants
 * done; it holds the listeners, so it must not be debuggable by others of its account.  It never forks, execs, or opens a path that a client names. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "fcgipm/base/slice.h"
#include "fcgipm/manager/manager.h"
#include "fcgipm/wire/launcher.h"

int main(int argc, char **argv)
{
	struct manager *m;
	int code;

	(void)argv;
	if (argc > 1) {
		fprintf(stderr, "fcgipm-manager is started by fcgipm-launcher; see fcgipm(1)\n");
		return 2;
	}
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	fp_ask_short_slice();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN); /* the launcher's signals are the launcher's */
	m = manager_new(WIRE_LAUNCHER_FD);
	if (m == NULL) {
		fprintf(stderr, "fcgipm-manager: cannot start: descriptor %d is not the launcher\n", WIRE_LAUNCHER_FD);
		return 1;
	}
	code = manager_run(m);
	manager_free(m);
	return code;
}
