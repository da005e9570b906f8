/* Retiring workers without losing a request: each is asked for again and again, in turn, until it is found serving nobody (RETIRE, wire/launcher.h). */
#ifndef FCGIPM_MANAGER_RETIRE_H
#define FCGIPM_MANAGER_RETIRE_H

#include <stdint.h>

#include "fcgipm/manager/service.h"

enum { RETIRE_AT_ONCE = 8 };

/* Workers whose turn it is; few are asked for at once, so that a thousand of them do not keep the launcher from its other work. */
struct retire_line {
	struct worker *first, **last;
	struct retire_call {
		struct manager *m;
		uint64_t id; /* 0: free */
	} calls[RETIRE_AT_ONCE];
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
