/* What workers write to descriptors 1 and 2: each has a pipe of its own, so every line has a pool and a pid. */
#ifndef FCGIPM_MANAGER_OUTPUT_H
#define FCGIPM_MANAGER_OUTPUT_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/manager/lines.h"

enum { OUTPUT_TAIL = 5, OUTPUT_TAIL_BYTES = 240, OUTPUT_BURST = 200, OUTPUT_A_SECOND = 50 };

struct worker;
struct pool;
struct fp_text;

struct output {
	struct event readable;
	int fd; /* -1: closed */
	struct lines lines;
	char *tail[OUTPUT_TAIL]; /* the last lines, a ring */
	unsigned tail_next;
};

/* A pool may log OUTPUT_BURST lines at once and OUTPUT_A_SECOND in the long run; what is above is counted and said in one event. */
struct output_rate {
	int64_t tokens_ms; /* as milliseconds of allowance */
	int64_t filled_ms;
	uint64_t suppressed;
	struct event say;
};

/* Pure: whether one more line may be logged at now_ms. */
bool output_rate_take(struct output_rate *r, int64_t now_ms);
/* One of the pool's workers has caused a line of the log: whether it may be written now.  Else it is counted, and said in one event. */
bool output_may_log(struct pool *p);

/* Takes fd (-1: the worker has none). */
void output_open(struct worker *w, int fd);
/* The worker is gone: reads what is still there.  The tail stays until output_close. */
void output_drain(struct worker *w);
void output_close(struct worker *w);
/* Adds the last lines, joined by " | ". */
void output_tail(const struct output *o, struct fp_text *t);

void output_rate_init(struct pool *p);
void output_rate_fini(struct pool *p);
/* Asks for the pool's output file when it has one; again: it was moved away. */
void output_file_want(struct pool *p, bool again);

#endif
