/* The minder (fcgipm-start, which then never execs the program).  It touches nothing but signals, its own children and /proc's list of them. */
#include "fcgipm/start/minder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgipm/priv/jail.h"

static void keep_kill_alone(void)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {{.effective = 1u << CAP_KILL, .permitted = 1u << CAP_KILL}};

	syscall(SYS_capset, &h, d); /* an ordinary user's has none, and needs none */
}

/* By number: they are ours to reap, so that no number can be another's.  Its whole group at once, which no fork can outrun. */
static void kill_one(pid_t pid)
{
	pid_t group = getpgid(pid);

	if (group > 1 && group != getpgrp())
		kill(-group, SIGKILL);
	kill(pid, SIGKILL);
}

/* Every child, as /proc lists them. */
static void kill_children(void)
{
	char buf[4096];
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	pid_t pid = 0;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++) {
			bool digit = buf[i] >= '0' && buf[i] <= '9';

			if (!digit && pid > 0)
				kill_one(pid);
			pid = digit ? pid * 10 + (buf[i] - '0') : 0;
		}
	if (fd >= 0)
		close(fd);
}

/* Until nobody is left: an orphan's children come to us. */
static void end_all(void)
{
	pid_t pid;

	do {
		kill_children();
		while ((pid = waitpid(-1, NULL, WNOHANG | __WALL)) > 0)
			;
		if (pid == 0)
			pid = waitpid(-1, NULL, __WALL);
	} while (pid > 0 || errno == EINTR);
}

/* Ends as the program did. */
static void end_as(int status) __attribute__((noreturn));
static void end_as(int status)
{
	static const struct rlimit none = {0, 0};
	sigset_t all;

	if (WIFSIGNALED(status)) {
		setrlimit(RLIMIT_CORE, &none); /* it would be ours */
		signal(WTERMSIG(status), SIG_DFL);
		sigfillset(&all); /* no other that waits */
		sigdelset(&all, WTERMSIG(status));
		kill(getpid(), WTERMSIG(status));
		sigprocmask(SIG_SETMASK, &all, NULL);
	}
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 126);
}

/* True when the program has ended. */
static bool reap(pid_t program, int *ret_status)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		if (pid != program)
			continue;
		*ret_status = status;
		return true;
	}
	return false;
}

static void mind(pid_t program, const sigset_t *signals, bool leaves) __attribute__((noreturn));
static void mind(pid_t program, const sigset_t *signals, bool leaves)
{
	int status = 0, signo;

	syscall(SYS_close_range, 0u, (unsigned)INT_MAX, 0u);
	prctl(PR_SET_NAME, "fcgipm-minder", 0L, 0L, 0L);
	keep_kill_alone();
	setsid();
	while (!reap(program, &status)) {
		signo = sigwaitinfo(signals, NULL);
		if (signo == SIGTERM && kill(-program, SIGTERM) < 0)
			kill(program, SIGTERM);
		if (signo == PRIV_MINDER_KILL) {
			kill(program, SIGKILL);
			leaves = false;
		}
	}
	if (!leaves)
		end_all();
	end_as(status);
}

int minder_fork(bool leaves)
{
	sigset_t signals;
	long pid;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, PRIV_MINDER_KILL);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) < 0)
		return -errno;
	pid = syscall(SYS_clone, (unsigned long)SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid < 0)
		return -errno;
	if (pid > 0)
		mind((pid_t)pid, &signals, leaves);
	/* Once more behind the change of account, which takes it away (jail.c). */
	return prctl(PR_SET_PDEATHSIG, (long)SIGKILL, 0L, 0L, 0L) < 0 ? -errno : 0;
}
