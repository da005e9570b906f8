/* A pool as the manager sees it: its specs, its listeners, its workers, and what went wrong with it.
 *
 * A worker is of the wanted kind when its generation lies within [floor, wanted generation] and its tag is the wanted one; every other
 * worker is old.  A reload moves generations, a restart moves the tag; a change that needs no new workers moves the generation and leaves the floor.
 */
#ifndef FCGIPM_MANAGER_SERVICE_H
#define FCGIPM_MANAGER_SERVICE_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fcgipm/manager/board.h"
#include "fcgipm/manager/decisions.h"
#include "fcgipm/manager/episode.h"
#include "fcgipm/manager/output.h"
#include "fcgipm/manager/queue.h"
#include "fcgipm/manager/template.h"
#include "fcgipm/pool/backoff.h"
#include "fcgipm/pool/worker.h"
#include "fcgipm/probe/queue.h"
#include "fcgipm/settings/settings.h"
#include "fcgipm/wire/launcher.h"

struct manager;

/* One spec of a pool, as the launcher told it. */
struct pool_spec {
	uint32_t generation, since; /* since: the first generation that was the same */
	char *failure; /* NULL: nothing is known against it */
	struct pool_settings set;
};

/* A listening socket of the pool. */
struct listener {
	uint32_t generation; /* of a spec that it belongs to */
	int fd, door; /* -1: none */
	char *address;
	bool withdrawn; /* its name is gone: it only serves what is queued */
	struct probe_listener id;
};

enum retire_reason { RETIRE_NOT, RETIRE_REPLACED, RETIRE_LIFETIME, RETIRE_SURPLUS, RETIRE_STOPPED, RETIRE_REQUESTS };

struct worker {
	struct worker *next; /* of the pool */
	struct worker *next_by_id; /* in the manager's bucket */
	struct pool *pool;
	uint64_t id; /* 0 until the launcher has answered */
	uint64_t parent; /* the template that it was asked of; 0: none, or that is not known */
	bool proven; /* seen idle after a request */
	unsigned lost; /* of a template: workers in a row that did not come to be, or ended before an answer */
	pid_t pid;
	uint32_t generation, tag;
	enum worker_state state;
	enum retire_reason retiring;
	bool asked; /* we told it to end */
	bool timed_out; /* it did not come up in time */
	bool never_execed; /* the launcher could not start it */
	bool was_ready;
	bool adopted; /* the manager before us has started it */
	bool overdue; /* has reached max_lifetime or max_memory */
	int64_t at_last_ms; /* since when it has served all but one of max_requests, 0 it has not: it goes by itself, and its successor may come */
	bool is_template, hooked; /* hooked: it waits at its first accept to be forked from */
	bool over_time; /* request.timeout */
	int64_t cut_ms; /* the age of the request that the launcher is asked to end it in */
	int64_t cut_missed_ms, cut_wait_ms; /* when it was in another by then, and for how long it is not asked about again */
	bool seen_serving; /* a template that does not wait to be forked from */
	bool said_pinned;
	bool uncounted; /* the board's count of idle ones is without it */
	uint32_t slot; /* of the scoreboard */
	uint64_t requests, abandoned, busy_us; /* as read there last */
	uint64_t slow_request; /* the one that was reported */
	int64_t measured_ms, resident; /* its memory: when it was looked at; a template's when it was ready */
	bool in_line; /* waits in the retire line */
	bool said_serving;
	uint32_t depth_peak; /* the deepest queue seen while it lived */
	int64_t spawned_ms, execed_ms, ready_ms, retire_ms, signalled_ms;
	unsigned looks;
	struct event timer; /* what for says the state */
	struct worker *next_in_line;
	struct output output;
};

/* The order in which a transition goes. */
enum transition_stage { TRANSITION_NONE, TRANSITION_BIND, TRANSITION_BOOT };

struct transition {
	enum transition_stage stage;
	uint32_t need; /* workers of the new kind that must be ready before the old ones go */
	uint32_t crashes; /* of the new kind */
	bool old_failed; /* one of the old kind crashed or could not be started: no more of that */
	const char *why; /* "reload", "restart", "listener" */
	bool bind_again; /* another candidate came while the launcher was binding */
};

enum removal_stage { REMOVAL_NONE, REMOVAL_WITHDRAWN, REMOVAL_ASKED, REMOVAL_FORGOTTEN };

struct pool_counters {
	uint64_t exits, signals, timeouts, boots, lifetimes, replaced, at_max_ms, abandoned, queue_peak, held_ms, queue_full_ms, slow_boot_ms, crashing_ms,
		served, busy_us, slow, requests, templates;
	uint64_t live_served, live_abandoned, live_busy_us; /* what of it is of workers that live: a successor finds it on their lines of the board */
};

struct pool {
	struct pool *next_by_name; /* in the manager's bucket */
	struct pool *next, *prev; /* in order of arrival */
	struct pool *next_dirty;
	struct manager *m;
	bool dirty;

	struct pool_spec *current, *candidate;
	uint32_t floor; /* the first generation whose workers are as good as the current ones */
	uint32_t tag, stable_tag, last_tag; /* wanted; that of the workers before; the greatest ever given */
	uint32_t failed_generation;
	struct transition transition;

	struct listener *listener; /* of the current spec; NULL: not bound */
	struct listener *coming; /* of the candidate, when that is another one */
	struct listener *leaving; /* of the spec before, until its last worker is gone */
	bool binding;
	bool bind_failed;
	uint32_t bind_generation; /* asked for */

	struct worker *workers;
	struct worker *templates; /* not counted as workers */
	struct template_way way, way_before; /* before: the transition that is under way */
	struct board_watch board;
	uint64_t slots[BOARD_WORDS]; /* a bit for each line of the board that a worker has */
	struct backoff backoff, renewal; /* renewal: of templates that are to take the place of one that is ready */
	uint32_t crashes; /* since a worker became ready */
	uint32_t belief; /* how many more workers may exit unseen and yet have served; as many as may run after one was seen in accept */
	int64_t held_until_ms; /* the launcher had no room */
	int64_t no_room_ms; /* when a template had none last */

	bool untold; /* some of its workers have served what the board does not tell */
	bool stopped; /* by an operator */
	bool failed; /* given up, or known not to run */
	bool drained; /* ending or removing: the queue was seen empty, workers go */
	enum removal_stage removal;
	bool removing;
	int32_t min_override, max_override; /* -1: as configured */

	struct event timer; /* the next moment at which steering may find something to do */
	struct queue_watch queue;
	uint32_t wanted; /* workers, as last decided; what cannot be started now is not wanted */
	uint32_t grant; /* workers that it may start although they are scarce */
	struct episode episodes[EPISODE_COUNT];
	struct decisions decisions;
	struct output_rate rate;
	int output_fd; /* of the output file; -1 */
	bool output_asked, output_opening, output_again; /* ever; under way; and once more after that */

	struct pool_counters counters;
	uint32_t reload_round; /* the reload that changes it; 0: none */
	bool reload_failed; /* said to those who wait for that reload */
	char *last_error;
	char name[];
};

/* Workers of a pool, counted. */
struct pool_census {
	uint32_t total; /* all that live */
	uint32_t booting, ready, overdue; /* of the wanted kind; overdue ones are not in ready */
	uint32_t old_accepting, accepting; /* old ones that can still accept; all that can */
	uint32_t old_booting; /* of these */
	uint32_t retiring; /* on their way out, of any kind */
	uint32_t finishing; /* of these, those that have no signal yet: they serve */
};

struct pool *manager_pool(struct manager *m, const char *name);
struct pool *pool_new(struct manager *m, const char *name);
/* All of it; no worker is left. */
void pool_free(struct pool *p);

struct pool_spec *pool_spec_new(const struct wire_pool *w, struct fp_err *err);
void pool_spec_free(struct pool_spec *s);
/* The spec that is wanted: the candidate while a transition runs, else the current one. */
const struct pool_spec *pool_wanted(const struct pool *p);
uint32_t pool_min(const struct pool *p);
uint32_t pool_max(const struct pool *p);
struct backoff_rule pool_backoff_rule(const struct pool *p);
/* One more crash in a row: nothing is started for longer. */
void pool_back_off(struct pool *p);

bool worker_is_old(const struct worker *w);
/* Of the kind that served last, whatever is to replace it. */
bool worker_is_stable(const struct worker *w);
struct pool_census pool_census(const struct pool *p);
/* starting, ready, sleeping, at_max, held, failed, stopped, removing */
const char *pool_state_name(const struct pool *p, const struct pool_census *c, uint32_t depth);

/* Steers the pool before the loop sleeps again. */
void pool_touch(struct pool *p);
/* Looks at the pool again in ms at the latest. */
void pool_touch_in(struct pool *p, int64_t ms);
void pool_set_error(struct pool *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void listener_free(struct listener *li);

#endif
