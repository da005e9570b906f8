/* The scoreboard of a pool: shared memory (a memfd that keeps its size), one cache line a worker, which the worker writes and the manager reads.
 *
 * Everything here may be written by any worker of the pool at any time: to the manager it is foreign bytes, of which the pool alone has the harm.
 * Times are of CLOCK_MONOTONIC_COARSE.
 */
#ifndef FCGIPM_BOARD_H
#define FCGIPM_BOARD_H

#include <stdint.h>

/* Slots are for what the launcher permits: twice workers.max (4096), and what retires meanwhile. */
enum { BOARD_SLOTS = 8448, BOARD_LINE = 64 };
#define BOARD_MAGIC 0x31424346u /* "FCB1" */

/* Where a worker finds its things; it is told by the variable FCGIPM_WORKER=SLOT,ROLE,OUTPUT, which the library takes out of the environment again.  OUTPUT is the
 * BOARD_INODE of what the launcher has put under standard output and error. */
#define BOARD_INODE(st) (((uint64_t)(st).st_dev << 32 ^ (st).st_ino) & INT64_MAX)
enum { BOARD_FD = 3, BOARD_WAKE_FD = 4, BOARD_HOOK_FD = 5, BOARD_LIBRARY_FD = 6 };
#define BOARD_LIBRARY_PATH "/proc/self/fd/6" /* the first item of its LD_PRELOAD */
#define BOARD_VARIABLE     "FCGIPM_WORKER"
enum board_told { TOLD_SLOT, TOLD_ROLE, TOLD_OUTPUT, TOLD_COUNT }; /* the numbers of that */
enum board_role { BOARD_ROLE_WORKER = 0, BOARD_ROLE_TEMPLATE = 1 };

enum board_state {
	BOARD_EMPTY, /* the library has not been loaded, or nobody is there */
	BOARD_BOOTING, /* loaded; the application has not come to its first accept */
	BOARD_IDLE,
	BOARD_BUSY, /* has a connection with a request */
	BOARD_KEPT, /* has a connection (FCGI_KEEP_CONN) and waits for its next request */
	BOARD_BLIND, /* may serve several connections at once: what it does is not known */
	BOARD_LEAVING, /* between two requests it was to go, and goes */
};

struct board_slot {
	uint32_t state; /* enum board_state */
	uint32_t stop; /* written by the manager: the signal that the worker gives itself between two requests; 0 none */
	uint64_t requests; /* begun */
	uint64_t abandoned; /* connections whose client had gone before they were accepted */
	int64_t since_ns; /* of the state */
	uint64_t busy_ns; /* in all, up to since_ns */
	uint8_t unused[24];
} __attribute__((aligned(64)));

struct board_head {
	uint32_t magic;
	int32_t idle; /* workers in accept */
	int32_t low; /* whoever leaves fewer idle than this wakes the manager, if that is armed */
	uint32_t armed;
	uint32_t watch; /* whoever begins a request wakes the manager, once: request.timeout and request.slow are watched from then on */
	uint32_t max_requests; /* workers.max_requests; 0 no limit */
	uint32_t stop; /* the signal that a worker gives itself when it has served so many */
	uint32_t keep_ms; /* request.keep_timeout; 0 no limit */
	uint8_t unused[32];
} __attribute__((aligned(64)));

struct board {
	struct board_head head;
	struct board_slot slots[BOARD_SLOTS];
};

/* Between the launcher and a template: one seqpacket each way.  The sender's pid is the kernel's word (SCM_CREDENTIALS), never the message's. */
enum hook_kind {
	HOOK_FORK = 1, /* to the template, with the descriptor of the new worker's output: become two; value is the slot */
	HOOK_READY, /* from the template: it is at its first accept */
	HOOK_REFUSED, /* it cannot be forked and serves as a worker; value is an enum hook_reason */
	HOOK_HELLO, /* from a new worker; value is its slot */
	HOOK_FAILED, /* from the template: no new worker; value is a HOOK_FAILURE */
};
/* Slot and errno in one value. */
#define HOOK_FAILURE(slot, error) ((uint32_t)(slot) | (uint32_t)(error) << 16)
#define HOOK_FAILURE_SLOT(value)  ((value)&0xffff)
#define HOOK_FAILURE_ERROR(value) ((value) >> 16)

/* X(NAME, why a pool is not pre-forked) */
#define HOOK_REASONS(X)                                                                                                                                        \
	X(NONE, "")                                                                                                                                            \
	X(THREADS, "the application has several threads at its first accept")                                                                                  \
	X(EVENTS, "the application waits for connections with epoll, and may serve several at once")                                                           \
	X(ACCEPTORS, "several threads of the application wait for connections")                                                                                \
	X(LIBC, "its C library would take a forked process for the template")

#define HOOK_REASON_ENUM(NAME, text) HOOK_REASON_##NAME,
enum hook_reason { HOOK_REASONS(HOOK_REASON_ENUM) HOOK_REASON_COUNT };

struct hook_word {
	uint32_t kind, value;
};

#endif
