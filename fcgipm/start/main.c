/* fcgipm-start: what every process that the launcher starts is until it is a program.  It holds nothing of the launcher's but rights and the descriptors that were placed for it, and is small
 * and static, so that a start costs little.  Its arguments and environment are the program's: it looks at neither but to hand them on.
 *
 * Its job comes by the descriptor on which it reports (priv/job.h). */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fcgipm/base/slice.h"
#include "fcgipm/priv/job.h"
#include "fcgipm/start/minder.h"
#include "fcgipm/start/search.h"

enum { EXIT_USAGE = 64 };

/* They lie where the launcher has placed them, and are the program's but for those of our own. */
static int settle_descriptors(struct priv_jail *j)
{
	for (int i = 0; i < 3; i++)
		j->stdio[i] = i;
	for (unsigned i = 0; i < j->keep_count; i++)
		if (j->keep[i] >= 0)
			j->keep[i] = j->keep_as + (int)i;
	j->report_fd = PRIV_FD_REPORT;
	if (j->exec_fd >= 0)
		j->exec_fd = PRIV_FD_PROGRAM;
	if (j->directory_fd > 0)
		j->directory_fd = PRIV_FD_DIRECTORY;
	if (j->client_fd > 0)
		j->client_fd = PRIV_FD_CLIENT;
	return syscall(SYS_close_range, (unsigned)PRIV_FD_REPORT, (unsigned)PRIV_FD_CLIENT, (unsigned)CLOSE_RANGE_CLOEXEC) < 0 ? -errno : 0;
}

static void fail(enum priv_step step, int error)
{
	const struct priv_report r = {.step = step, .error = error};

	priv_jail_fail(PRIV_FD_REPORT, &r);
}

/* The only one; its beginning lies on the page of what else is written here (the Makefile's START_LAYOUT). */
static struct priv_job job;

int main(int argc, char **argv, char **envp)
{
	static const char not_by_hand[] = "fcgipm-start: only fcgipm-launcher starts this\n";
	struct priv_jail j;
	struct priv_report refusal;
	int r = priv_job_receive(PRIV_FD_REPORT, &job, &j);

	(void)argc;
	if (r < 0 && r != -EBADF && r != -ENOTSOCK)
		fail(PRIV_STEP_START, -r);
	if (r < 0)
		return write(STDERR_FILENO, not_by_hand, sizeof(not_by_hand) - 1) < 0 ? 1 : EXIT_USAGE;
	j.argv = (const char *const *)argv;
	j.envp = (const char *const *)envp;
	r = settle_descriptors(&j);
	if (r == 0)
		r = priv_jail_narrow(&j);
	if (r < 0)
		fail(PRIV_STEP_START, -r);
	(void)setpriority(PRIO_PROCESS, 0, j.nice); /* the launcher's own was for the way to here; whether it can be had says the step */
	fp_ordinary_slice();
	r = j.minded ? minder_fork(j.leaves_descendants) : 0;
	if (r < 0)
		fail(PRIV_STEP_SESSION, -r);
	if (start_search(&j, &refusal) < 0)
		priv_jail_fail(PRIV_FD_REPORT, &refusal);
	priv_jail_exec(&j);
}
