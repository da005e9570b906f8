/* Pools as they are looked at: those that a filter lets through, in the order of a column, with what the difference to the snapshot before tells. */
#ifndef FCGIPM_VIEW_VIEW_H
#define FCGIPM_VIEW_VIEW_H

#include "fcgipm/view/columns.h"

enum { FILTER_MAX = 256 };

struct view {
	/* The caller may change these, and then calls view_arrange(). */
	const struct column *sort; /* NULL: by name */
	bool reverse;
	bool trouble; /* only pools that have some */
	char filter[FILTER_MAX]; /* words; each is a part of the name, or a state */

	/* To be read. */
	struct snapshot now, before; /* owned */
	int64_t now_ms, before_ms;
	bool live; /* there is a snapshot before */
	uint32_t count; /* of rows, those that are shown */
	struct view_row *rows;
};

/* What stands above the table. */
struct view_totals {
	uint32_t in_state[STATE_COUNT + 1]; /* the last: of a state that is not known */
	int64_t queued, rate, memory_bytes; /* of what is known; WIRE_UNKNOWN: nothing is */
};

/* Takes over *s; at_ms is when it came.  0 or -ENOMEM, and then it is freed and the view is as it was. */
int view_take(struct view *v, struct snapshot *s, int64_t at_ms);
/* Filters and sorts anew. */
void view_arrange(struct view *v);
struct view_totals view_totals(const struct view *v);
void view_fini(struct view *v);

#endif
