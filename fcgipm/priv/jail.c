/* From fork to exec (a child of the launcher).  Only async-signal-safe calls: no malloc, no stdio, no log, no libcap (which allocates).
 *
 * The order is the argument for its safety:
 *  1. signals, session, descriptors, limits, priority: as root, on nothing but our own process;
 *  2. groups, group, user: from here on the account's rights decide, and the account may signal us (the launcher does not wait for us, and kills us
 *     after a while), but not trace us: setresuid cleared the dumpable flag;
 *  3. chroot and directory: with the account's own rights on the way there (root's CAP_DAC_OVERRIDE was given up at start), and CAP_SYS_CHROOT alone kept
 *     over the change of account;
 *  4. the bounding set, every capability but those asked for, no_new_privs: nothing that is exec'd can get them back;
 *  5. exec.
 */
#include "fcgipm/priv/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"

enum { FIRST_FREE_FD = 20 }; /* above every number that a child is given */

const char *priv_step_name(enum priv_step step)
{
#define STEP_NAME(NAME, text) [PRIV_STEP_##NAME] = (text),
	static const char *const names[PRIV_STEP_COUNT] = {PRIV_STEPS(STEP_NAME)};

	return step < PRIV_STEP_COUNT ? names[step] : "?";
}

/* ---- the steps: 0 or -errno ---- */

static int step_signals(const struct priv_jail *j)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t none;

	(void)j;
	for (int s = 1; s < _NSIG; s++)
		sigaction(s, &dfl, NULL); /* KILL, STOP and libc's own refuse: they are at their default */
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

static int step_session(const struct priv_jail *j)
{
	return j->new_session && setsid() < 0 ? -errno : 0;
}

/* Everything that is passed is first moved out of the way of the numbers that it is to get. */
static int move_up(int fd)
{
	int up = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);

	return up < 0 ? -errno : up;
}

static int step_descriptors(const struct priv_jail *j)
{
	int from[4] = {j->stdio[0], j->stdio[1], j->stdio[2], j->keep};
	const int to[4] = {0, 1, 2, j->keep_as};

	for (unsigned i = 0; i < 4; i++) {
		if (from[i] < 0)
			continue;
		from[i] = move_up(from[i]);
		if (from[i] < 0)
			return from[i];
	}
	for (unsigned i = 0; i < 4; i++)
		if (from[i] >= 0 && dup2(from[i], to[i]) < 0)
			return -errno;
	return 0; /* all others, and the moved ones, are close-on-exec: step_close sees to it */
}

/* Belt and braces: whatever somebody forgot to open close-on-exec closes at exec all the same (5.11; before that every open of ours has the flag). */
static int step_close(const struct priv_jail *j)
{
	unsigned first = j->keep >= 0 ? (unsigned)j->keep_as + 1 : 3;

	if (syscall(SYS_close_range, first, ~0u, 1u << 2 /* CLOSE_RANGE_CLOEXEC */) < 0 && errno != EINVAL && errno != ENOSYS)
		return -errno;
	return 0;
}

static int step_limits(const struct priv_jail *j)
{
	for (unsigned i = 0; i < j->limit_count; i++) {
		struct rlimit l = {.rlim_cur = j->limits[i].value, .rlim_max = j->limits[i].value};

		if (setrlimit((__rlimit_resource_t)j->limits[i].resource, &l) < 0)
			return -errno;
	}
	return 0;
}

static int step_priority(const struct priv_jail *j)
{
	return j->nice != 0 && setpriority(PRIO_PROCESS, 0, j->nice) < 0 ? -errno : 0;
}

/* The raw call: the library's version tells other threads, of which a forked child has none. */
static int step_groups(const struct priv_jail *j)
{
	return j->change_account && syscall(SYS_setgroups, (size_t)j->group_count, j->groups) < 0 ? -errno : 0;
}

static int step_gid(const struct priv_jail *j)
{
	return j->change_account && syscall(SYS_setresgid, j->gid, j->gid, j->gid) < 0 ? -errno : 0;
}

static int step_uid(const struct priv_jail *j)
{
	if (!j->change_account)
		return 0;
	if (prctl(PR_SET_KEEPCAPS, 1L, 0L, 0L, 0L) < 0 || syscall(SYS_setresuid, j->uid, j->uid, j->uid) < 0)
		return -errno;
	return 0;
}

/* permitted and effective as given; inheritable too when they are to become ambient. */
static int set_caps(uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2];

	for (unsigned i = 0; i < 2; i++) {
		d[i].permitted = d[i].effective = (uint32_t)(permitted >> (32 * i));
		d[i].inheritable = (uint32_t)(inheritable >> (32 * i));
	}
	return syscall(SYS_capset, &h, d) < 0 ? -errno : 0;
}

/* After the change of account the capabilities are permitted, not effective: what the next steps need is raised. */
static int step_raise(const struct priv_jail *j)
{
	if (!j->change_account)
		return 0;
	return set_caps(1ull << CAP_SYS_CHROOT | 1ull << CAP_SETPCAP | j->capabilities, 0);
}

static int step_chroot(const struct priv_jail *j)
{
	if (j->chroot[0] == '\0')
		return 0;
	return chroot(j->chroot) < 0 || chdir("/") < 0 ? -errno : 0;
}

static int step_directory(const struct priv_jail *j)
{
	return j->directory[0] != '\0' && chdir(j->directory) < 0 ? -errno : 0;
}

static int drop_bounding(uint64_t keep)
{
	for (unsigned long c = 0; c < 64; c++) {
		if ((keep >> c & 1) != 0)
			continue;
		if (prctl(PR_CAPBSET_DROP, c, 0L, 0L, 0L) < 0)
			return errno == EINVAL ? 0 : -errno; /* EINVAL: beyond the last one that this kernel knows */
	}
	return 0;
}

/* No capability in any set, but for those that the pool asked for, which become ambient so that exec keeps them. */
static int step_capabilities(const struct priv_jail *j)
{
	int r;

	if (!j->change_account)
		return j->capabilities != 0 ? -EPERM : 0;
	r = drop_bounding(j->capabilities);
	if (r == 0)
		r = set_caps(j->capabilities, j->capabilities);
	for (unsigned long c = 0; r == 0 && c < 64; c++)
		if ((j->capabilities >> c & 1) != 0 && prctl(PR_CAP_AMBIENT, (long)PR_CAP_AMBIENT_RAISE, c, 0L, 0L) < 0)
			r = -errno;
	return r;
}

static int step_no_new_privs(const struct priv_jail *j)
{
	return j->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0 ? -errno : 0;
}

static int step_umask(const struct priv_jail *j)
{
	umask((mode_t)j->umask);
	return 0;
}

static int step_exec(const struct priv_jail *j)
{
	/* exec takes char *const *; neither it nor the new program can change what is const here. */
	char *const *argv = (char *const *)(uintptr_t)j->argv;
	char *const *envp = (char *const *)(uintptr_t)j->envp;

	if (j->exec_fd >= 0)
		syscall(SYS_execveat, j->exec_fd, "", argv, envp, AT_EMPTY_PATH);
	else
		execve(j->path, argv, envp);
	return -errno;
}

struct step {
	enum priv_step name;
	int (*run)(const struct priv_jail *j);
};

static const struct step to_exec[] = {
	{PRIV_STEP_SIGNALS, step_signals},
	{PRIV_STEP_SESSION, step_session},
	{PRIV_STEP_DESCRIPTORS, step_descriptors},
	{PRIV_STEP_DESCRIPTORS, step_close},
	{PRIV_STEP_LIMITS, step_limits},
	{PRIV_STEP_PRIORITY, step_priority},
	{PRIV_STEP_GROUPS, step_groups},
	{PRIV_STEP_GID, step_gid},
	{PRIV_STEP_UID, step_uid},
	{PRIV_STEP_CAPABILITIES, step_raise},
	{PRIV_STEP_CHROOT, step_chroot},
	{PRIV_STEP_DIRECTORY, step_directory},
	{PRIV_STEP_CAPABILITIES, step_capabilities},
	{PRIV_STEP_NO_NEW_PRIVS, step_no_new_privs},
	{PRIV_STEP_UMASK, step_umask},
	{PRIV_STEP_EXEC, step_exec},
};
static const struct step to_account[] = {
	{PRIV_STEP_SIGNALS, step_signals},
	{PRIV_STEP_SESSION, step_session},
	{PRIV_STEP_GROUPS, step_groups},
	{PRIV_STEP_GID, step_gid},
	{PRIV_STEP_UID, step_uid},
	{PRIV_STEP_CAPABILITIES, step_raise},
	{PRIV_STEP_CAPABILITIES, step_capabilities},
	{PRIV_STEP_NO_NEW_PRIVS, step_no_new_privs},
};

static int run_steps(const struct step *steps, size_t count, const struct priv_jail *j, struct priv_report *ret)
{
	for (size_t i = 0; i < count; i++) {
		int r = steps[i].run(j);

		if (r == 0)
			continue;
		*ret = (struct priv_report){.step = steps[i].name, .error = -r};
		return r;
	}
	return 0;
}

void priv_jail_exec(const struct priv_jail *j, struct priv_report *ret)
{
	run_steps(to_exec, sizeof(to_exec) / sizeof(to_exec[0]), j, ret);
}

int priv_jail_become(uint32_t uid, uint32_t gid, const uint32_t *groups, uint32_t count, struct priv_report *ret)
{
	const struct priv_jail j = {
		.new_session = true,
		.change_account = true,
		.uid = uid,
		.gid = gid,
		.groups = groups,
		.group_count = count,
		.no_new_privs = true,
	};

	return run_steps(to_account, sizeof(to_account) / sizeof(to_account[0]), &j, ret);
}

void priv_jail_fail(int report_fd, const struct priv_report *r)
{
	ssize_t n = write(report_fd, r, sizeof(*r));

	_exit(n == (ssize_t)sizeof(*r) ? 127 : 126);
}

int priv_fork(int *ret_pidfd)
{
	int pidfd = -1;
	struct clone_args args = {.flags = CLONE_PIDFD, .pidfd = (uintptr_t)&pidfd, .exit_signal = SIGCHLD};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		return -errno;
	if (pid > 0)
		*ret_pidfd = pidfd; /* close-on-exec: clone3 makes it so */
	return (int)pid;
}
