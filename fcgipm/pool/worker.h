/* The life of one worker as one matrix of states and events.  Pure: no call to the system; actions are what the manager does. */
#ifndef FCGIPM_POOL_WORKER_H
#define FCGIPM_POOL_WORKER_H

/* clang-format off */

/* pids lists a worker in the states marked 1: it can still accept.  X(NAME, text, accepts) */
#define WORKER_STATES(X)                                                                                    \
	X(STARTING, "starting", 1)   /* forked, not yet exec'd */                                            \
	X(BOOTING, "booting", 1)     /* exec'd, not yet seen at accept */                                    \
	X(READY, "ready", 1)         /* seen waiting or serving */                                           \
	X(RETIRING, "retiring", 1)   /* to go as soon as it is found idle */                                 \
	X(STOPPING, "stopping", 0)   /* it has its stop signal and accepts no more */                        \
	X(KILLING, "killing", 0)     /* SIGKILL is on its way */                                             \
	X(GONE, "gone", 0)

#define WORKER_EVENTS(X)                                                                                    \
	X(EXECED) X(SEEN_READY) X(BOOT_TIMEOUT) X(RETIRE) X(SIGNALLED) X(STOP_TIMEOUT) X(KILL) X(EXITED)

#define WORKER_ACTIONS(X) X(NONE) X(WATCH_BOOT) X(READY) X(KILL) X(LOOK_TO_RETIRE) X(ARM_STOP_TIMEOUT) X(BURY)

#define WORKER_STATE_ENUM(NAME, text, accepts) WORKER_##NAME,
#define WORKER_EVENT_ENUM(NAME) WORKER_ON_##NAME,
#define WORKER_ACTION_ENUM(NAME) WORKER_DO_##NAME,
enum worker_state { WORKER_STATES(WORKER_STATE_ENUM) WORKER_STATE_COUNT };
enum worker_event { WORKER_EVENTS(WORKER_EVENT_ENUM) WORKER_EVENT_COUNT };
enum worker_action { WORKER_ACTIONS(WORKER_ACTION_ENUM) WORKER_ACTION_COUNT };

/* The move: *state changes and the action is returned; an empty cell returns -1 and changes nothing (the caller counts and logs it). */
int worker_move(enum worker_state *state, enum worker_event event);
const char *worker_state_name(enum worker_state s);
const char *worker_event_name(enum worker_event e);
const char *worker_action_name(enum worker_action a);
int worker_accepts(enum worker_state s);

#endif
