/* The worker's matrix (manager process).  Pure. */
#include "fcgipm/pool/worker.h"

struct edge {
	enum worker_state next;
	enum worker_action action;
	char known; /* 0: an empty cell */
};

/* clang-format off */
#define TO(state, act) {WORKER_##state, WORKER_DO_##act, 1}
static const struct edge edges[WORKER_STATE_COUNT][WORKER_EVENT_COUNT] = {
	[WORKER_STARTING] = {
		[WORKER_ON_EXECED] = TO(BOOTING, WATCH_BOOT),
		[WORKER_ON_BOOT_TIMEOUT] = TO(KILLING, KILL),
		[WORKER_ON_RETIRE] = TO(RETIRING, LOOK_TO_RETIRE),
		[WORKER_ON_SIGNALLED] = TO(STOPPING, ARM_STOP_TIMEOUT),
		[WORKER_ON_KILL] = TO(KILLING, KILL),
		[WORKER_ON_EXITED] = TO(GONE, BURY),
	},
	[WORKER_BOOTING] = {
		[WORKER_ON_SEEN_READY] = TO(READY, READY),
		[WORKER_ON_BOOT_TIMEOUT] = TO(KILLING, KILL),
		[WORKER_ON_RETIRE] = TO(RETIRING, LOOK_TO_RETIRE),
		[WORKER_ON_SIGNALLED] = TO(STOPPING, ARM_STOP_TIMEOUT),
		[WORKER_ON_KILL] = TO(KILLING, KILL),
		[WORKER_ON_EXITED] = TO(GONE, BURY),
	},
	[WORKER_READY] = {
		[WORKER_ON_SEEN_READY] = TO(READY, NONE),
		[WORKER_ON_RETIRE] = TO(RETIRING, LOOK_TO_RETIRE),
		[WORKER_ON_SIGNALLED] = TO(STOPPING, ARM_STOP_TIMEOUT),
		[WORKER_ON_KILL] = TO(KILLING, KILL),
		[WORKER_ON_EXITED] = TO(GONE, BURY),
	},
	[WORKER_RETIRING] = {
		[WORKER_ON_EXECED] = TO(RETIRING, NONE), /* the answers were on their way already */
		[WORKER_ON_SEEN_READY] = TO(RETIRING, NONE),
		[WORKER_ON_RETIRE] = TO(RETIRING, NONE),
		[WORKER_ON_SIGNALLED] = TO(STOPPING, ARM_STOP_TIMEOUT),
		[WORKER_ON_KILL] = TO(KILLING, KILL),
		[WORKER_ON_EXITED] = TO(GONE, BURY),
	},
	[WORKER_STOPPING] = {
		[WORKER_ON_EXECED] = TO(STOPPING, NONE),
		[WORKER_ON_SEEN_READY] = TO(STOPPING, NONE),
		[WORKER_ON_RETIRE] = TO(STOPPING, NONE),
		[WORKER_ON_SIGNALLED] = TO(STOPPING, NONE),
		[WORKER_ON_STOP_TIMEOUT] = TO(KILLING, KILL),
		[WORKER_ON_KILL] = TO(KILLING, KILL),
		[WORKER_ON_EXITED] = TO(GONE, BURY),
	},
	[WORKER_KILLING] = {
		[WORKER_ON_EXECED] = TO(KILLING, NONE),
		[WORKER_ON_SEEN_READY] = TO(KILLING, NONE),
		[WORKER_ON_RETIRE] = TO(KILLING, NONE),
		[WORKER_ON_SIGNALLED] = TO(KILLING, NONE),
		[WORKER_ON_STOP_TIMEOUT] = TO(KILLING, KILL), /* asked again: a process in the kernel's hands can be late */
		[WORKER_ON_KILL] = TO(KILLING, NONE),
		[WORKER_ON_EXITED] = TO(GONE, BURY),
	},
	/* GONE: nothing can happen any more */
};
/* clang-format on */

int worker_move(enum worker_state *state, enum worker_event event)
{
	const struct edge *e;

	if (*state >= WORKER_STATE_COUNT || event >= WORKER_EVENT_COUNT)
		return -1;
	e = &edges[*state][event];
	if (!e->known)
		return -1;
	*state = e->next;
	return (int)e->action;
}

#define STATE_NAME(NAME, text, accepts)    [WORKER_##NAME] = (text),
#define STATE_ACCEPTS(NAME, text, accepts) [WORKER_##NAME] = (accepts),
#define EVENT_NAME(NAME)                   [WORKER_ON_##NAME] = #NAME,
#define ACTION_NAME(NAME)                  [WORKER_DO_##NAME] = #NAME,

const char *worker_state_name(enum worker_state s)
{
	static const char *const names[WORKER_STATE_COUNT] = {WORKER_STATES(STATE_NAME)};

	return s < WORKER_STATE_COUNT ? names[s] : "?";
}

const char *worker_event_name(enum worker_event e)
{
	static const char *const names[WORKER_EVENT_COUNT] = {WORKER_EVENTS(EVENT_NAME)};

	return e < WORKER_EVENT_COUNT ? names[e] : "?";
}

const char *worker_action_name(enum worker_action a)
{
	static const char *const names[WORKER_ACTION_COUNT] = {WORKER_ACTIONS(ACTION_NAME)};

	return a < WORKER_ACTION_COUNT ? names[a] : "?";
}

int worker_accepts(enum worker_state s)
{
	static const char accepts[WORKER_STATE_COUNT] = {WORKER_STATES(STATE_ACCEPTS)};

	return s < WORKER_STATE_COUNT && accepts[s];
}
