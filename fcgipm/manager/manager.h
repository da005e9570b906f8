/* The manager: one event loop, no privilege.  It decides how many workers each pool has and when one is replaced; the launcher does it.
 *
 *   link      requests to the launcher          events    what the launcher says
 *   pools     what is to run (service.h)        steer     brings each pool nearer to what is wanted
 *   control   clients and their commands        state     what a successor must know
 *
 * Everything is driven by events: nothing runs, and no timer is armed, while nothing happens.
 */
#ifndef FCGIPM_MANAGER_MANAGER_H
#define FCGIPM_MANAGER_MANAGER_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/base/log.h"
#include "fcgipm/manager/control.h"
#include "fcgipm/manager/ledger.h"
#include "fcgipm/manager/link.h"
#include "fcgipm/manager/ops.h"
#include "fcgipm/manager/queue.h"
#include "fcgipm/manager/reload.h"
#include "fcgipm/manager/retire.h"
#include "fcgipm/manager/service.h"
#include "fcgipm/manager/shares.h"
#include "fcgipm/manager/state.h"
#include "fcgipm/settings/settings.h"

enum { MANAGER_POOL_BUCKETS = 4096, MANAGER_WORKER_BUCKETS = 1024 };

enum manager_quit { QUIT_NOT, QUIT_DRAIN, QUIT_NOW };

struct manager {
	struct event_base *base;
	struct link link;
	int exit_code;

	/* who we are (HELLO) */
	int32_t launcher_pid;
	int64_t launcher_started_ms;
	uint32_t starts; /* managers before this one */
	uint32_t generation;
	bool ordinary;
	char *version;
	int log_fd;
	enum fp_log_sink log_sink;

	struct manager_settings *settings; /* NULL until the first SETTINGS */
	bool running; /* GO has come */
	bool ready_said; /* the event "ready" */
	enum manager_quit quit;
	bool ended; /* END done is said */

	struct pool *pools[MANAGER_POOL_BUCKETS]; /* by name */
	struct pool *first_pool, *last_pool; /* in order of arrival */
	uint32_t pool_count;
	struct worker *workers[MANAGER_WORKER_BUCKETS]; /* by id */
	uint32_t worker_count; /* all of them, those asked for included */

	bool leases_changed; /* those who lease are to be told when this turn ends */
	struct pool *dirty; /* to be steered, in this turn of the loop */
	struct event steer;

	int diag_fd;
	struct sampler sampler;
	struct shares shares;
	struct retire_line retire_line;
	uint64_t cut_asked; /* the worker that the launcher is asked to end, if it is still in the same request; 0: none */
	struct state state;
	struct control control;
	struct op_list ops;
	struct reload reload;
	struct ledger ledger;
};

/* Takes link_fd.  NULL: no memory, or no sock_diag. */
struct manager *manager_new(int link_fd);
/* Until the launcher goes, or the end.  The exit code. */
int manager_run(struct manager *m);
void manager_free(struct manager *m);

/* Ends the process after this turn of the loop, with an event that says why when why is not NULL. */
void manager_fail(struct manager *m, const char *why);
void manager_apply_settings(struct manager *m, struct manager_settings *taken);
void manager_log_setup(const struct manager *m);
uint32_t manager_max_workers(const struct manager *m);

/* One-shot timers.  at least 0 ms from now. */
void timer_arm(struct event *timer, int64_t ms);

#endif
