/* The workers: each our child, with its output pipe, in a slot whose serial number makes a stale worker id refusable. */
#ifndef FCGIPM_LAUNCHER_WORKER_H
#define FCGIPM_LAUNCHER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/launcher/child.h"
#include "fcgipm/launcher/pool.h"
#include "fcgipm/wire/launcher.h"

struct worker {
	struct child child;
	uint64_t id; /* serial << 32 | slot */
	struct pool *pool;
	uint32_t generation, tag;
	int64_t spawned_ms, signalled_ms;
	enum wire_stage stage;
	int32_t stop_signal, busy_signal; /* of the spec that it was started from */
	struct listener *listener; /* a reference */
	uint32_t uid, gid; /* its account's */
	int64_t retire_ms; /* when it was first asked to retire, 0 never */
	struct watcher *watcher; /* waits for the moment between two requests; NULL none */
	bool unwatchable;
	enum wire_start how;
	uint32_t slot; /* its line of the scoreboard */
	struct loop_source hook; /* a template's; fd -1: none */
	bool hooked; /* it can be forked from */
	bool seen_serving; /* by the last look at a template */
	unsigned strange; /* words of it that answer nothing */
	int64_t answered_ms; /* when a template said something last */
	struct worker *orders; /* of a template: who is to come from it */
	struct worker *ordered_from, *next_order; /* of one that is to come */
	uint32_t order_seq, order_manager;
	struct loop_timer order_limit;
	struct loop_source output; /* the read end of its output; watched only while no manager reads it */
};

struct worker_table {
	struct worker **slot; /* NULL: free */
	uint32_t slots, count, serial;
};

/* Starts a worker.  *ret: the worker; its output's read end stays the worker's.  -EAGAIN (a bound), -ENOTCONN (not bound), -errno; err names what. */
int worker_spawn(struct launcher *l, struct pool *p, const struct wire_spawn *m, struct worker **ret, struct fp_err *err);
/* The same from a template; the manager's request seq is answered when it has come. */
int worker_fork_from(struct launcher *l, struct pool *p, const struct wire_spawn *m, uint32_t seq, struct fp_err *err);
/* The template's new process is w from now on, or is ended, where w has been signalled before it came. */
void worker_adopt(struct launcher *l, struct worker *w, pid_t pid, int pidfd);
/* w never came to be. */
void worker_forget(struct launcher *l, struct worker *w);
/* It cannot be forked from and serves like any other. */
void worker_is_no_template(struct launcher *l, struct worker *w);
struct worker *worker_find(struct launcher *l, uint64_t id);
enum wire_look worker_look(struct launcher *l, struct worker *w);
/* Freezes, looks, and sends stop.signal when it serves nobody.  One that is serving whenever it is looked at gets a watcher (watcher.h). */
enum wire_look worker_retire(struct launcher *l, struct worker *w);
/* Freezes, and kills when its line of the scoreboard says that it is in the request that began then. */
enum wire_look worker_cut(struct launcher *l, struct worker *w, int64_t since_ns);
/* stop.signal, stop.busy_signal, TERM or KILL; -EPERM for any other. */
int worker_signal(struct launcher *l, struct worker *w, int signal);
/* Its stop signal has been sent. */
void worker_mark_signalled(struct worker *w, enum wire_stage stage);
/* While no manager is there: everything that workers write goes to /dev/null, so that none blocks on a full pipe. */
void workers_drain(struct launcher *l, bool on);
/* SIGKILL to every worker's session and group. */
void workers_kill(struct launcher *l);
/* Calls each for every worker. */
void workers_each(struct launcher *l, void (*each)(struct launcher *l, struct worker *w, void *ctx), void *ctx);

#endif
