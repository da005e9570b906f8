/* The launcher: the privileged process.  It holds every listening socket, is the parent of every worker, starts conf, look and the manager, and does
 * nothing else.  It parses no YAML, reads no request, and believes nothing that another process says.
 *
 * One struct, passed first everywhere; the parts are
 *   loop      events                         children  every process we forked
 *   pools     specs that may be run          listeners what is bound
 *   workers   who runs                       link      the manager's requests (link.c) and our events to it (outbox.c)
 *   load      the configuration being read   runtime   directories, lock, control socket
 */
#ifndef FCGIPM_LAUNCHER_LAUNCHER_H
#define FCGIPM_LAUNCHER_LAUNCHER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fcgipm/base/err.h"
#include "fcgipm/base/log.h"
#include "fcgipm/launcher/child.h"
#include "fcgipm/launcher/exec.h"
#include "fcgipm/launcher/handed.h"
#include "fcgipm/launcher/listener.h"
#include "fcgipm/launcher/loop.h"
#include "fcgipm/launcher/outbox.h"
#include "fcgipm/launcher/pool.h"
#include "fcgipm/launcher/waste.h"
#include "fcgipm/launcher/worker.h"

struct load;

/* SERVING: all requests; ENDING: the manager may only finish what it has. */
enum launcher_phase { PHASE_STARTING = 1, PHASE_SERVING = 2, PHASE_ENDING = 4 };
enum launcher_mode { MODE_RUN, MODE_CHECK };

struct account {
	uid_t uid;
	gid_t gid;
};

struct launcher {
	struct loop loop;
	enum launcher_phase phase;
	int exit_code;

	/* who we are and what we were asked */
	enum launcher_mode mode;
	bool dump, secrets;
	const char *config; /* path as given */
	char *exe_dir; /* where the other roles' executables are */
	bool ordinary; /* started by an ordinary user: everything runs as that user */
	struct account self, conf, manager;
	int64_t started_ms;
	int nice; /* what we were started with: that of workers whose pool says nothing */
	int own_nice; /* ours, and the manager's */

	/* runtime directory (runtime.c) */
	char *runtime;
	int lock_fd, control_fd, log_fd, null_fd, diag_fd;
	char *log_target; /* log_target.c */
	enum fp_log_sink log_sink; /* what log_fd is */
	enum fp_log_level log_level;
	enum fp_log_format log_format;
	uint32_t max_workers;
	uint64_t unclean_signals, bounding, permitted; /* what a child has to undo, and what it may (priv_jail) */
	int personality; /* what a child is given back (priv_jail) */
	uint64_t caps; /* kept capabilities beside the table's: those that pools name */
	struct loop_source signals;

	struct children children;
	struct pool_table pools;
	struct listener_list listeners;
	struct handed *handed; /* sockets of a supervisor (handed.c) */
	unsigned handed_count;
	struct holders *holders; /* holder.c */
	uint32_t *left; /* inodes of listeners that the launcher before us left to a holder */
	uint32_t left_count;
	struct worker_table workers;
	uint32_t templates; /* of them */
	int starter_fd; /* fcgipm-start, which every other program begins as */
	int library_fd; /* what is preloaded into applications; -1: it is not there */
	unsigned watchers; /* processes that wait for a busy worker's pause */

	/* the manager (manager.c, link.c) */
	struct child manager_child;
	struct loop_source link;
	struct outbox outbox;
	struct loop_timer manager_restart;
	uint32_t manager_starts;
	int64_t manager_started_ms, manager_delay_ms;
	int state_fd; /* what the manager keeps for its successor */
	uint64_t refused; /* messages refused, all managers and confs */
	bool ready_said;
	struct wire_blob manager_settings; /* malloc'd; told to every manager */

	/* spawn rate: a bucket of tokens */
	int64_t spawn_tokens, spawn_filled_ms;

	/* configuration (load.c) */
	struct load *load;
	uint32_t generation;
	uint32_t reload_seq; /* of the manager's request that waits for the load; 0 none */
	uint32_t reload_next; /* of its request that waits until another load has ended: of the start, or of a manager that died */
	bool reload_wanted; /* a HUP, or the request of a manager that died, for which no manager has asked yet */

	/* ending (ending.c) */
	struct loop_timer ending_timer, stop_limit;
	uint8_t ending_how;
	bool ending_now, ending_waits; /* not for what the broker runs; for that alone */
	unsigned ending_signals;

	struct exec exec; /* the exec broker (exec.h) */
	struct waste waste;
};

#endif
