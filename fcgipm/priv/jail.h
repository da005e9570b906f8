/* What makes a child the pool's and nobody else's: a jail, which the launcher fills in, and fcgipm-start enters.
 *
 * The order is the safety argument (see jail.c): what needs root comes first, then the account, then what the account's own rights must decide
 * (chroot into its home, its directory), then the last capability goes, then exec.
 */
#ifndef FCGIPM_PRIV_JAIL_H
#define FCGIPM_PRIV_JAIL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

/* clang-format off */

/* Steps that can fail on the way to exec, by name; start: before fcgipm-start was there, or had read its job.  X(ENUM, text) */
#define PRIV_STEPS(X)                                                                                                                                          \
	X(NONE, "none") X(START, "start") X(CHECK, "check")                                                                                                                      \
	X(SIGNALS, "signals") X(SESSION, "session") X(DESCRIPTORS, "descriptors") X(LIMITS, "limits") X(PRIORITY, "priority") X(GROUPS, "groups")              \
		X(GID, "group") X(UID, "user") X(ENVIRONMENT, "environment_file") X(CHROOT, "chroot") X(DIRECTORY, "directory") X(CAPABILITIES, "capabilities")                                   \
			X(NO_NEW_PRIVS, "no_new_privileges") X(UMASK, "umask") X(EXEC, "exec") X(BIND, "bind") X(OPEN, "open") X(TIMEOUT, "timeout")
#define PRIV_STEP_ENUM(NAME, text) PRIV_STEP_##NAME,
enum priv_step { PRIV_STEPS(PRIV_STEP_ENUM) PRIV_STEP_COUNT };
const char *priv_step_name(enum priv_step step);

enum { PRIV_KEEP_MAX = 4 };

/* Where descriptors lie on the way to exec: 0 to 2, keep_as and following, these, and nothing else. */
enum { PRIV_FD_REPORT = 18, PRIV_FD_PROGRAM, PRIV_FD_DIRECTORY, PRIV_FD_CLIENT, PRIV_FD_BEYOND };

/* A library that goes along where the program can reach it: LD_PRELOAD is library in front of what the environment names, and variable is added. */
struct priv_preload {
	const char *needs; /* a directory without which it cannot be reached: a chroot may lack /proc */
	const char *library;
	const char *variable; /* NAME=VALUE */
};

/* What a child reports through its close-on-exec descriptor when a step fails. */
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
	uint64_t permitted; /* what the launcher itself may: an exec as root would give all of the bounding set */
	int personality; /* the program's (personality(2)), which fcgipm-start gives back: it lies at fixed addresses itself, where it may (spawn.c); -1: neither is to be changed */
	int exec_fd; /* an executable opened beforehand, or -1 */
	const char *path;
	const char *const *argv;
	const char *const *envp;
	struct priv_preload preload; /* library NULL or "": none */
	bool minded; /* by a process of its own, which is then the child (start/minder.h); what follows, the search too, is done below it */
	bool leaves_descendants; /* it leaves what is left when the program ends */
	/* What fcgipm-start has to find out before all else, with the launcher's own rights: program, account, descriptors (broker/errand.h).  Plain bytes, a multiple of 8; 0: nothing. */
	const void *search;
	uint32_t search_size;
	int client_fd; /* of the search: the connection whose descriptors it takes; 0: none */
	int cgroup; /* descriptor of the directory of the cgroup that the child is born in; 0: none, since 0 is never one */
};

/* To a process that minds another (start/minder.h): SIGTERM goes on to the program's group; this one ends everything at once.  Never SIGKILL: what it minds would be nobody's. */
#define PRIV_MINDER_KILL SIGUSR1

/* The caller's own personality(2), or -1 where a filter lets nobody ask. */
int priv_personality(void);
/* In fcgipm-start, first: gives back what the launcher itself has not, and the program's personality.  0 or -errno. */
int priv_jail_narrow(const struct priv_jail *j);
/* In fcgipm-start, where all descriptors lie where they belong but what the search has opened: everything up to exec, and exec.  A step that fails is reported, and the process ends. */
void priv_jail_exec(struct priv_jail *j) __attribute__((noreturn));
/* In a child of the launcher that binds or opens with an account's rights and does not exec: becomes that account alone (groups, gid, uid, no capability, no_new_privs).  Async-signal-safe. */
int priv_jail_become(uint32_t uid, uint32_t gid, const uint32_t *groups, uint32_t count, struct priv_report *ret);
/* Writes the report and ends the child with status 127. */
void priv_jail_fail(int report_fd, const struct priv_report *r) __attribute__((noreturn));

#endif
