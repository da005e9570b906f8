/* Every process that the launcher started and has not reaped.  The launcher never waits for one: what became of it before its program began arrives on a
 * close-on-exec descriptor, its end by SIGCHLD, and one that does not come to exec within SPAWN_LIMIT_MS is killed. */
#ifndef FCGIPM_LAUNCHER_CHILD_H
#define FCGIPM_LAUNCHER_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "fcgipm/base/err.h"
#include "fcgipm/launcher/loop.h"
#include "fcgipm/priv/jail.h"

enum { SPAWN_LIMIT_MS = 5000, CHILD_BUCKETS = 1024, CHILD_SESSIONS = 1024 };

struct launcher;
struct child;

struct child_ops {
	const char *what; /* for the log */
	bool session; /* it leads a session, and whoever is left of that ends with it */
	bool keeps_limit; /* the time limit is for the whole process, not for the way to exec alone */
	void (*execed)(struct child *c); /* may be NULL */
	/* Reaped; status as of waitpid.  c is out of all tables and may be freed. */
	void (*exited)(struct child *c, int status);
};

/* Embedded in whatever the process is to us. */
struct child {
	struct launcher *launcher;
	const struct child_ops *ops;
	pid_t pid; /* still its number while exited() runs */
	bool running;
	unsigned strays; /* processes of its session that were ended after it */
	int pidfd;
	struct rusage used; /* when it has been reaped: with what it had waited for itself */
	struct loop_source report;
	struct loop_timer limit;
	struct priv_report failure; /* step NONE: none failed */
	bool execed;
	int kill_signal; /* what ends it at once; 0: SIGKILL */
	struct child *next;
};

struct children {
	struct child *bucket[CHILD_BUCKETS]; /* by pid */
	pid_t ended[CHILD_SESSIONS]; /* sessions whose leaders have ended, the last ones: what is left of them ends as it comes to us */
	unsigned ended_count;
};

/* Starts what enters the jail, by fcgipm-start.  0 or -errno; nothing is left behind on failure. */
int child_exec(struct launcher *l, struct child *c, const struct child_ops *ops, const struct priv_jail *jail);
/* Forks a child that runs act(arg) and ends: 0 is success, otherwise *ret names the step.  act must be async-signal-safe. */
typedef int child_act(const void *arg, struct priv_report *ret);
int child_call(struct launcher *l, struct child *c, const struct child_ops *ops, child_act *act, const void *arg);
/* Gives a running child (again) a time limit from now; 0 takes it away.  Of one that has ended nothing is left to limit. */
void child_limit(struct child *c, int64_t ms);
/* What it has reported by now, without waiting for the loop's turn: execed or failure may change. */
void child_learn(struct child *c);
/* Enters one that was made for us, by CLONE_PARENT: it is past exec. */
void child_adopt(struct launcher *l, struct child *c, const struct child_ops *ops, pid_t pid, int pidfd);
bool child_is_known(struct launcher *l, pid_t pid);
/* Through the pidfd. */
void child_signal(const struct child *c, int signal);
void child_kill(struct child *c);
/* SIGCHLD: reaps whatever has ended, known or not. */
void children_reap(struct launcher *l);
/* Ends whatever else descends from us: those of session sid, or all that we do not know when sid is 0.  Returns how many were signalled. */
unsigned children_end_strays(struct launcher *l, pid_t sid);

#endif
