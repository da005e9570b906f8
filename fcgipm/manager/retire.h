/* Retiring workers without losing a request: each is asked for again and again, in turn, until it is found serving nobody (RETIRE, wire/launcher.h). */
#ifndef FCGIPM_MANAGER_RETIRE_H
#define FCGIPM_MANAGER_RETIRE_H

#include <stdint.h>

#include "fcgipm/manager/service.h"

/* Workers whose turn it is.  One at a time is asked for: a busy machine takes a millisecond to stop a process, and the start of a worker must not wait
 * behind a row of those. */
struct retire_line {
	struct worker *first, **last;
	uint64_t asked; /* the worker that the launcher looks at; 0 none */
};

void retire_line_init(struct manager *m);

/* The decision: reason is counted when it has gone. */
void retire_worker(struct worker *w, enum retire_reason reason);
/* Its state is RETIRING now. */
void retire_begin(struct worker *w);
/* Its turn to be asked. */
void retire_due(struct worker *w);
void retire_leave(struct worker *w);
/* Pure: the wait before asking again. */
int64_t retire_wait_ms(unsigned looks, int64_t since_ms);

#endif
