/* From a start to the program (fcgipm-start), and to an account alone (a child of the launcher).  Only async-signal-safe calls: no malloc, no stdio, no log, no libcap (which allocates).
 *
 * The order is the argument for its safety:
 *  1. signals, session, descriptors, limits, priority: as root, on nothing but our own process.  From here on it holds no descriptor but what the program is to have, and its way to it;
 *  2. groups, group, user: from here on the account's rights decide.  It may signal us (the launcher waits for nobody, and kills us after a while) but
 *     not trace us: we are not dumpable, whatever fs.suid_dumpable says, and until step 4 we hold a capability that it does not have;
 *  3. chroot and directory: with the account's own rights on the way there, and CAP_SYS_CHROOT as the only effective capability;
 *  4. the bounding set, every capability but those asked for, no_new_privs: nothing that is exec'd can get them back;
 *  5. exec, by a path inside the chroot.
 */
#include "fcgipm/priv/jail.h"

#include "fcgipm/priv/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *priv_step_name(enum priv_step step)
{
#define STEP_NAME(NAME, text) [PRIV_STEP_##NAME] = (text),
	static const char *const names[PRIV_STEP_COUNT] = {PRIV_STEPS(STEP_NAME)};

	return step < PRIV_STEP_COUNT ? names[step] : "?";
}

/* ---- the steps: 0 or -errno ---- */

static int step_signals(struct priv_jail *j)
{
	static const uint64_t dfl[8]; /* the kernel's struct sigaction, all zero: SIG_DFL */
	sigset_t none;

	for (int s = 1; s < _NSIG; s++) /* KILL and STOP refuse; libc's own two too, and posix_spawn() leaves those ignored: hence not by sigaction() */
		if (j->signals == 0 || (j->signals >> (s - 1) & 1) != 0)
			syscall(SYS_rt_sigaction, s, dfl, NULL, _NSIG / 8);
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

/* A session keyring of its own: root's, inherited, would be possessed by every worker of every pool.  It counts against root's quota, not the account's;
 * where there is no such thing (no CONFIG_KEYS, a seccomp filter, the quota of a user namespace) the worker does without. */
static void leave_keyring(void)
{
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
}

static int step_session(struct priv_jail *j)
{
	if (j->change_account)
		leave_keyring();
	return j->new_session && setsid() < 0 ? -errno : 0;
}

static int close_range_of(int first, int last)
{
	return first <= last && syscall(SYS_close_range, (unsigned)first, (unsigned)last, 0u) < 0 ? -errno : 0;
}

static int close_others(const struct priv_jail *j)
{
	int next = 3, r = 0;

	for (unsigned i = 0; r == 0 && i < j->keep_count; i++) {
		if (j->keep[i] < 0)
			continue;
		r = close_range_of(next, j->keep_as + (int)i - 1);
		next = j->keep_as + (int)i + 1;
	}
	if (r == 0)
		r = close_range_of(next, PRIV_FD_REPORT - 1);
	if (r == 0 && j->exec_fd < 0)
		r = close_range_of(PRIV_FD_PROGRAM, PRIV_FD_PROGRAM);
	if (r == 0 && j->directory_fd <= 0)
		r = close_range_of(PRIV_FD_DIRECTORY, PRIV_FD_DIRECTORY);
	return r == 0 ? close_range_of(PRIV_FD_CLIENT, INT_MAX) : r;
}

static int move(int from, int to, int flags)
{
	return from >= 0 && from != to && dup3(from, to, flags) < 0 ? -errno : 0;
}

/* What the search has opened; all else lies there (spawn.c).  None of it is below 3, where all three are taken. */
static int step_descriptors(struct priv_jail *j)
{
	int r = 0;

	for (int i = 0; i < 3 && r == 0; i++)
		r = move(j->stdio[i], i, 0);
	if (r == 0)
		r = move(j->exec_fd, PRIV_FD_PROGRAM, O_CLOEXEC);
	if (r == 0 && j->directory_fd > 0)
		r = move(j->directory_fd, PRIV_FD_DIRECTORY, O_CLOEXEC);
	return r == 0 ? close_others(j) : r;
}

static int step_limits(struct priv_jail *j)
{
	for (unsigned i = 0; i < j->limit_count; i++) {
		struct rlimit l = {.rlim_cur = j->limits[i].value, .rlim_max = j->limits[i].value};

		if (setrlimit(j->limits[i].resource, &l) < 0)
			return -errno;
	}
	return 0;
}

static int step_priority(struct priv_jail *j)
{
	return setpriority(PRIO_PROCESS, 0, j->nice) < 0 ? -errno : 0;
}

/* Neither root's, which no program gets by us, nor the word for "leave it as it is". */
static bool is_an_account(uint32_t id)
{
	return id != 0 && id != UINT32_MAX;
}

/* The raw call: the library's version tells other threads, of which a forked child has none. */
static int step_groups(struct priv_jail *j)
{
	return j->change_account && syscall(SYS_setgroups, (size_t)j->group_count, j->groups) < 0 ? -errno : 0;
}

static int step_gid(struct priv_jail *j)
{
	if (!j->change_account)
		return 0;
	if (!is_an_account(j->gid))
		return -EPERM;
	return syscall(SYS_setresgid, j->gid, j->gid, j->gid) < 0 ? -errno : 0;
}

/* Not dumpable: nobody of the account reads in /proc, or traces, a process that still has root's memory. */
static int step_uid(struct priv_jail *j)
{
	if (!j->change_account)
		return 0;
	if (!is_an_account(j->uid))
		return -EPERM;
	if (prctl(PR_SET_KEEPCAPS, 1L, 0L, 0L, 0L) < 0 || syscall(SYS_setresuid, j->uid, j->uid, j->uid) < 0)
		return -errno;
	return prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L) < 0 ? -errno : 0;
}

struct cap_sets {
	uint64_t permitted, effective, inheritable;
};

static int get_permitted(uint64_t *ret)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d) < 0)
		return -errno;
	*ret = d[0].permitted | (uint64_t)d[1].permitted << 32;
	return 0;
}

/* Ambient capabilities go with the inheritable ones. */
static int set_caps(struct cap_sets c)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2];

	for (unsigned i = 0; i < 2; i++) {
		d[i].permitted = (uint32_t)(c.permitted >> (32 * i));
		d[i].effective = (uint32_t)(c.effective >> (32 * i));
		d[i].inheritable = (uint32_t)(c.inheritable >> (32 * i));
	}
	return syscall(SYS_capset, &h, d) < 0 ? -errno : 0;
}

#define BIT(cap) (1ull << (cap))

/* After the change of account: permitted is what later steps need, effective what the next two may use.  A capability that the system withholds is
 * missed by the step that needs it, by name, and by no other. */
static int step_narrow(struct priv_jail *j)
{
	uint64_t have;
	int r = j->change_account ? get_permitted(&have) : 0;

	if (r < 0 || !j->change_account)
		return r;
	have &= BIT(CAP_SYS_CHROOT) | BIT(CAP_SETPCAP) | j->capabilities;
	return set_caps((struct cap_sets){.permitted = have, .effective = have & BIT(CAP_SYS_CHROOT)});
}

/* fcgipm-start's, which does this once: too large for a stack, and touched only where there is something to add. */
static struct priv_environment environment;

static int own_environment(struct priv_jail *j)
{
	int r = j->envp == environment.envp ? 0 : priv_environment_begin(&environment, j->envp);

	j->envp = environment.envp;
	return r;
}

/* With the account's rights and no capability that would go beyond them (step_narrow), and before the chroot: secrets need not lie inside. */
static int step_environment(struct priv_jail *j)
{
	unsigned line;
	int r;

	if (j->environment_file == NULL || j->environment_file[0] == '\0')
		return 0;
	r = own_environment(j);
	return r < 0 ? r : priv_environment_read(&environment, j->environment_file, &line);
}

static int step_chroot(struct priv_jail *j)
{
	if (j->chroot[0] == '\0')
		return 0;
	return chroot(j->chroot) < 0 || chdir("/") < 0 ? -errno : 0;
}

static int step_directory(struct priv_jail *j)
{
	if (j->directory_fd > 0)
		return fchdir(PRIV_FD_DIRECTORY) < 0 ? -errno : 0;
	return j->directory[0] != '\0' && chdir(j->directory) < 0 ? -errno : 0;
}

static int drop_bounding(const struct priv_jail *j)
{
	uint64_t may = j->bounding == 0 ? UINT64_MAX : j->bounding;

	for (unsigned long c = 0; c < 64; c++) {
		if ((j->capabilities >> c & 1) != 0 || (may >> c & 1) == 0)
			continue;
		if (prctl(PR_CAPBSET_DROP, c, 0L, 0L, 0L) < 0)
			return errno == EINVAL ? 0 : -errno; /* EINVAL: beyond the last one that this kernel knows */
	}
	return 0;
}

/* Without CAP_SETPCAP the set stays as it is, which is nothing to anybody who can gain no privilege by exec, and refused otherwise. */
static int empty_bounding(const struct priv_jail *j)
{
	uint64_t have;
	int r = get_permitted(&have);

	if (r < 0)
		return r;
	if ((have & BIT(CAP_SETPCAP)) == 0)
		return j->no_new_privs ? 0 : -EPERM;
	r = set_caps((struct cap_sets){.permitted = have, .effective = BIT(CAP_SETPCAP)});
	return r == 0 ? drop_bounding(j) : r;
}

/* No capability in any set, but for those that the pool asked for, which become ambient so that exec keeps them. */
static int step_capabilities(struct priv_jail *j)
{
	const uint64_t asked = j->capabilities;
	int r = j->change_account ? empty_bounding(j) : 0;

	if (r == 0)
		r = set_caps((struct cap_sets){.permitted = asked, .effective = asked, .inheritable = asked});
	if (r == 0 && j->minded) /* it ends with its minder: the change of account has taken that away */
		r = prctl(PR_SET_PDEATHSIG, (long)SIGKILL, 0L, 0L, 0L) < 0 ? -errno : 0;
	for (unsigned long c = 0; r == 0 && c < 64; c++)
		if ((asked >> c & 1) != 0 && prctl(PR_CAP_AMBIENT, (long)PR_CAP_AMBIENT_RAISE, c, 0L, 0L) < 0)
			r = -errno;
	return r;
}

static int step_no_new_privs(struct priv_jail *j)
{
	return j->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0 ? -errno : 0;
}

static int step_umask(struct priv_jail *j)
{
	umask((mode_t)j->umask);
	return 0;
}

/* In its root: what the program itself would find. */
static int preload(struct priv_jail *j)
{
	int r;

	if (j->preload.library == NULL || j->preload.library[0] == '\0' || access(j->preload.needs, F_OK) < 0)
		return 0;
	r = own_environment(j);
	return r < 0 ? r : priv_environment_preload(&environment, j->preload.library, j->preload.variable);
}

/* A script, as the kernel says by ENOENT (execveat(2), BUGS): its interpreter gets the name /dev/fd/PRIV_FD_PROGRAM, which some open and some (Perl) take for the number of a
 * descriptor to read from.  It is opened with the account's own rights; through the descriptor, so that it is the same file. */
static int keep_script(void)
{
	char name[] = "/proc/self/fd/NN";
	int fd, r = 0;

	name[sizeof(name) - 3] = '0' + PRIV_FD_PROGRAM / 10;
	name[sizeof(name) - 2] = '0' + PRIV_FD_PROGRAM % 10;
	fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (dup3(fd, PRIV_FD_PROGRAM, 0) < 0)
		r = -1;
	close(fd);
	return r;
}

static int exec_program(const struct priv_jail *j)
{
	/* exec takes char *const *; neither it nor the new program can change what is const here. */
	char *const *argv = (char *const *)(uintptr_t)j->argv;
	char *const *envp = (char *const *)(uintptr_t)j->envp;

	if (j->exec_fd < 0) {
		execve(j->path, argv, envp);
		return -errno;
	}
	syscall(SYS_execveat, PRIV_FD_PROGRAM, "", argv, envp, AT_EMPTY_PATH);
	if (errno == ENOENT && keep_script() == 0)
		syscall(SYS_execveat, PRIV_FD_PROGRAM, "", argv, envp, AT_EMPTY_PATH);
	return -errno;
}

static int step_exec(struct priv_jail *j)
{
	int r = preload(j);

	return r < 0 ? r : exec_program(j);
}

struct step {
	enum priv_step name;
	int (*run)(struct priv_jail *j);
};

static const struct step to_exec[] = {
	{PRIV_STEP_SIGNALS, step_signals},
	{PRIV_STEP_SESSION, step_session},
	{PRIV_STEP_DESCRIPTORS, step_descriptors},
	{PRIV_STEP_LIMITS, step_limits},
	{PRIV_STEP_PRIORITY, step_priority},
	{PRIV_STEP_GROUPS, step_groups},
	{PRIV_STEP_GID, step_gid},
	{PRIV_STEP_UID, step_uid},
	{PRIV_STEP_CAPABILITIES, step_narrow},
	{PRIV_STEP_ENVIRONMENT, step_environment},
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
	{PRIV_STEP_CAPABILITIES, step_narrow},
	{PRIV_STEP_CAPABILITIES, step_capabilities},
	{PRIV_STEP_NO_NEW_PRIVS, step_no_new_privs},
};

static int run_steps(const struct step *steps, size_t count, struct priv_jail *j, struct priv_report *ret)
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

int priv_personality(void)
{
	return personality(0xffffffff);
}

/* The program is not to lie at fixed addresses because fcgipm-start does.  A filter that forbids this has forbidden the change before as well, and exec may have undone that (PER_CLEAR_ON_SETID). */
static int give_back_personality(const struct priv_jail *j)
{
	if (j->personality < 0 || personality((unsigned long)j->personality) >= 0)
		return 0;
	return (priv_personality() & ~j->personality & ADDR_NO_RANDOMIZE) == 0 ? 0 : -EPERM;
}

int priv_jail_narrow(const struct priv_jail *j)
{
	uint64_t have = 0;
	int r = give_back_personality(j);

	if (r < 0 || !j->change_account)
		return r;
	r = get_permitted(&have);
	if (r < 0 || (have & ~j->permitted) == 0)
		return r;
	have &= j->permitted;
	return set_caps((struct cap_sets){.permitted = have, .effective = have});
}

void priv_jail_exec(struct priv_jail *j)
{
	struct priv_report r;

	run_steps(to_exec, sizeof(to_exec) / sizeof(to_exec[0]), j, &r);
	priv_jail_fail(j->report_fd, &r);
}

int priv_jail_become(uint32_t uid, uint32_t gid, const uint32_t *groups, uint32_t count, struct priv_report *ret)
{
	struct priv_jail j = {
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
