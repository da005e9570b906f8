/* When manager.max_workers is not enough for all pools: who may start how many, and who gives some up (pool/share.h has the rule).  While there is enough
 * it costs nothing. */
#ifndef FCGIPM_MANAGER_SHARES_H
#define FCGIPM_MANAGER_SHARES_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

struct manager;
struct pool;

struct shares {
	struct event review;
	bool scarce; /* some pool wanted more than was left: from now on workers are granted */
	bool armed;
	int64_t reviewed_ms;
};

void shares_init(struct manager *m);
void shares_fini(struct manager *m);
/* How many workers the total leaves to this pool now. */
uint32_t shares_left(const struct pool *p);
/* It has started that many. */
void shares_took(struct pool *p, uint32_t count);
/* A pool wants more than is left to it, or, while it is scarce, a worker has gone: reviewed soon. */
void shares_need(struct manager *m);
void shares_freed(struct manager *m);

#endif
