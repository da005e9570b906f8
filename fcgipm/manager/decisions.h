/* The last decisions of a pool's scaler, with their reasons: what an administrator asks first. */
#ifndef FCGIPM_MANAGER_DECISIONS_H
#define FCGIPM_MANAGER_DECISIONS_H

#include <stdint.h>

enum { DECISIONS_KEPT = 10 };

struct decision {
	int64_t at_ms;
	uint32_t from, to; /* workers */
	uint32_t queued, busy; /* connections, as it saw them */
	const char *reason; /* static */
};

struct decisions {
	struct decision ring[DECISIONS_KEPT];
	unsigned count, last; /* last: index of the newest */
};

/* One that goes on where the newest left off, for the same reason and within a moment, becomes part of it. */
void decisions_add(struct decisions *d, const struct decision *what);
/* The i-th, the newest is 0; NULL when there are no more. */
const struct decision *decisions_get(const struct decisions *d, unsigned i);
/* "2.4 s ago: 12 more, 4 to 16 workers: load (14 waited, 4 were served)" */
void decision_text(const struct decision *d, int64_t now_ms, char *buf, unsigned cap);

#endif
