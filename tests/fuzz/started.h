/* A process that the launcher starts and that is none: it has come to exec at once.  The target says which number it has (priv_fork). */
#ifndef TESTS_FUZZ_STARTED_H
#define TESTS_FUZZ_STARTED_H

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fcgipm/priv/spawn.h"

int __wrap_priv_fork(int *ret_pidfd);
int __wrap_priv_start(int starter, struct priv_jail *j, int *ret_report, int *ret_pidfd);

int __wrap_priv_start(int starter, struct priv_jail *j, int *ret_report, int *ret_pidfd)
{
	int report[2], pid = __wrap_priv_fork(ret_pidfd);

	(void)starter, (void)j;
	if (pid < 0)
		return pid;
	if (pipe2(report, O_CLOEXEC) < 0)
		abort();
	close(report[1]);
	*ret_report = report[0];
	return pid;
}

#endif
