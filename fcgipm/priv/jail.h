/* From fork to exec: what makes a child the pool's and nobody else's.  Everything here is async-signal-safe: no malloc, no log, no lock.
 *
 * The order is the safety argument (see jail.c): what needs root comes first, then the account, then what the account's own rights must decide
 * (chroot into its home, its directory), then the last capability goes, then exec.
 */
#ifndef FCGIPM_PRIV_JAIL_H
#define FCGIPM_PRIV_JAIL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

/* clang-format off */

/* Steps that can fail between fork and exec, by name.  X(ENUM, text) */
#define PRIV_STEPS(X)                                                                                                                                          \
	X(NONE, "none") X(CHECK, "check")                                                                                                                      \
	X(SIGNALS, "signals") X(SESSION, "session") X(DESCRIPTORS, "descriptors") X(LIMITS, "limits") X(PRIORITY, "priority") X(GROUPS, "groups")              \
		X(GID, "group") X(UID, "user") X(ENVIRONMENT, "environment_file") X(CHROOT, "chroot") X(DIRECTORY, "directory") X(CAPABILITIES, "capabilities")                                   \
			X(NO_NEW_PRIVS, "no_new_privileges") X(UMASK, "umask") X(EXEC, "exec") X(BIND, "bind") X(OPEN, "open") X(TIMEOUT, "timeout")
#define PRIV_STEP_ENUM(NAME, text) PRIV_STEP_##NAME,
enum priv_step { PRIV_STEPS(PRIV_STEP_ENUM) PRIV_STEP_COUNT };
const char *priv_step_name(enum priv_step step);

enum { PRIV_KEEP_MAX = 4 };

/* A library that goes along where the program can reach it: LD_PRELOAD is library in front of what the environment names, and variable is added. */
struct priv_preload {
	const char *needs; /* a directory without which it cannot be reached: a chroot may lack /proc */
	const char *library;
	const char *variable; /* NAME=VALUE */
};

/* What a child reports through its close-on-exec pipe when a step fails. */
struct priv_report {
	uint32_t step; /* enum priv_step */
	int32_t error;
};

struct priv_jail {
	/* descriptors: stdio[0..2] become 0..2; keep[] become keep_as and following (within 3 to 17); every other one is closed */
	int stdio[3];
	int keep[PRIV_KEEP_MAX]; /* -1: that number stays free */
	unsigned keep_count;
	int keep_as;
	int report_fd; /* where a failed step is written (struct priv_report); closed by exec: its end without a report is success */
	bool new_session;
	bool change_account; /* false for an ordinary user's launcher: the steps that need root are left out */
	uint32_t uid, gid;
	const uint32_t *groups;
	uint32_t group_count;
	const char *chroot; /* "" none */
	const char *directory; /* "" leave */
	int directory_fd; /* entered instead, if it is above 0 */
	const char *environment_file; /* adds to envp; outside the chroot; NULL or "" none */
	uint32_t umask;
	struct {
		int resource; /* RLIMIT_... */
		uint64_t value;
	} limits[8];
	uint32_t limit_count;
	int nice;
	uint64_t capabilities; /* kept as ambient */
	bool no_new_privs;
	uint64_t signals; /* bit N-1: signal N may be caught or ignored here, and is reset; 0: any may */
	uint64_t bounding; /* capabilities that may be in the bounding set here; 0: any may */
	int exec_fd; /* an executable opened beforehand, or -1 */
	const char *path;
	const char *const *argv;
	const char *const *envp;
	const struct priv_preload *preload; /* NULL: none */
	/* What only the child finds out, before anything else, with the launcher's own rights: it may change the jail.  0, or -1 and *ret->error (PRIV_STEP_CHECK); NULL: nothing.
	 * Async-signal-safe. */
	int (*prepare)(struct priv_jail *self, struct priv_report *ret);
	const void *prepare_arg;
	bool minded; /* by a process of its own, which is then the child (minder.h); what follows, prepare too, is done below it */
	bool leaves_descendants; /* it leaves what is left when the program ends */
	int cgroup; /* descriptor of the directory of the cgroup that the child is born in; used by whoever forks; 0: none, since 0 is never one */
};

/* Everything up to exec, and exec.  A step that fails is reported, and the child ends. */
void priv_jail_exec(const struct priv_jail *j) __attribute__((noreturn));
/* Becomes the account alone (groups, gid, uid, no capability, no_new_privs), for a child that binds or opens with its rights and does not exec. */
int priv_jail_become(uint32_t uid, uint32_t gid, const uint32_t *groups, uint32_t count, struct priv_report *ret);
/* Writes the report and ends the child with status 127. */
void priv_jail_fail(int report_fd, const struct priv_report *r) __attribute__((noreturn));

/* clone3(CLONE_PIDFD) with SIGCHLD (or clone, where a filter knows no clone3), as fork, never as vfork: an account's kill(-1, SIGSTOP) between setuid and exec would hold the parent.
 * cgroup: as priv_jail.cgroup.
 * In the parent: the child's pid and *ret_pidfd (close-on-exec); in the child 0; or -errno. */
int priv_fork(int cgroup, int *ret_pidfd);

#endif
