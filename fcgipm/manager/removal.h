/* A pool that is no longer in the configuration: its name goes, what is queued is served, its workers retire, it is forgotten. */
#ifndef FCGIPM_MANAGER_REMOVAL_H
#define FCGIPM_MANAGER_REMOVAL_H

#include <stdbool.h>

struct pool;

void removal_begin(struct pool *p);
void removal_step(struct pool *p);
/* A later configuration has it again. */
void removal_cancel(struct pool *p);
/* The queue of the pool has been seen empty once nothing new could come; looks again soon when not. */
bool queue_ran_dry(struct pool *p);

#endif
