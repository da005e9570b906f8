/* The end of it all: drain, or stop with what is being served now. */
#ifndef FCGIPM_MANAGER_SHUTDOWN_H
#define FCGIPM_MANAGER_SHUTDOWN_H

#include <stdbool.h>

struct manager;
struct pool;

/* The launcher says so.  at_once: the queues are not waited for. */
void shutdown_begin(struct manager *m, bool at_once);
void shutdown_step(struct pool *p);
/* Says so when the last worker is gone. */
void shutdown_review(struct manager *m);

#endif
