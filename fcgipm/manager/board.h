/* The scoreboard of a pool, as the manager reads it (include/fcgipm/board.h).  All of it is foreign bytes, of which it copies what it uses, once. */
#ifndef FCGIPM_MANAGER_BOARD_H
#define FCGIPM_MANAGER_BOARD_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "include/fcgipm/board.h"

struct pool;
struct worker;

/* What the manager before had counted of the workers that live on: it is on their lines, and not counted again. */
struct board_known {
	uint64_t served, abandoned, busy_us;
};

enum { BOARD_WORD_BITS = 64, BOARD_WORDS = BOARD_SLOTS / BOARD_WORD_BITS };

struct board_watch {
	struct board *map; /* NULL: none yet */
	int bell; /* workers write, the manager reads; -1 */
	struct event rung, pause, tick;
	bool listening, ticking;
	bool deaf; /* the bell is shut down, for good: workers hold their end of it */
	int32_t idle_off; /* by how much the workers' count of idle ones was wrong when it was looked at last */
	uint64_t wakes;
	struct board_known known;
};

/* What the board says of a pool. */
struct board_census {
	uint32_t idle, busy, kept; /* of those in service */
	uint32_t serving; /* busy ones that are not on their way out */
	uint32_t going; /* busy or kept ones that are */
	uint32_t blind; /* that may serve several at once */
	uint32_t silent; /* in service, and their lines tell nothing */
	bool exact; /* every worker that can accept has a line that tells */
};

/* Takes both descriptors.  False: it is none. */
bool board_open(struct pool *p, int memory, int bell);
void board_close(struct pool *p);
/* A line that no worker of the pool has; BOARD_SLOTS: there is none. */
uint32_t board_free_slot(const struct pool *p);
/* The worker has that line, until it gives it back. */
void board_take_slot(struct worker *w, uint32_t slot);
void board_give_slot(const struct worker *w);
/* Reads all lines: who is ready, who goes, what was served; and what follows from it. */
void board_scan(struct pool *p);
/* Takes the workers' numbers into the pool's, before these are told. */
void board_count(struct pool *p);
/* A successor has all workers, and has counted them. */
void board_known(struct pool *p);
struct board_census board_census(const struct pool *p);
/* Writes the settings that workers act upon by themselves. */
void board_settle(struct pool *p);
/* Wakes the manager when fewer than low are idle.  False: that is so already, or nobody can. */
bool board_arm(struct pool *p, uint32_t low);
/* It is in service, as was seen from outside, and its line tells nothing. */
bool board_is_silent(const struct worker *w);
/* The worker's library was loaded. */
bool board_is_loaded(const struct worker *w);
/* It has its stop signal: an idle one is no longer counted by the others, however long its end takes. */
void board_signalled(struct worker *w);
/* It goes by itself when its request has ended. */
void board_stop(const struct worker *w, int signal);
/* It has ended: its last numbers are taken.  True when it had gone by itself between two requests. */
bool board_left(struct worker *w);

#endif
