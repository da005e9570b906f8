/* The columns of the pools' table, one row a column: fcgipm status and fcgipm top show, sort and explain by it. */
#ifndef FCGIPM_VIEW_COLUMNS_H
#define FCGIPM_VIEW_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgipm/client/snapshot.h"

enum { CELL_MAX = 1024 };

/* A pool with what only two snapshots tell. */
struct view_row {
	const struct snapshot_pool *pool;
	int64_t rate; /* requests in 1000 seconds; WIRE_UNKNOWN: not known */
	int64_t share; /* percent of its workers' time that was spent in serving; WIRE_UNKNOWN: not known */
};

enum column_kind { COLUMN_TEXT, COLUMN_COUNT, COLUMN_BYTES, COLUMN_RATE };

struct column {
	const char *key; /* to sort by */
	char letter; /* that does it in top */
	const char *heading;
	const char *help;
	enum column_kind kind; /* texts are to the left and rise, numbers are to the right and fall */
	unsigned width; /* at least, so that nothing jumps while the numbers change */
	unsigned given_up; /* the order in which a narrow terminal loses columns, 1 first; 0: never */
	bool live; /* is known only from the second snapshot on */
	int64_t (*number)(const struct view_row *row); /* to sort by; NULL: by name */
	void (*cell)(const struct column *c, const struct view_row *row, char buf[CELL_MAX]);
};

extern const struct column columns[];
extern const size_t column_count;

const struct column *column_by_key(const char *key);
const struct column *column_by_letter(int letter);

/* How a state is to be seen. */
enum tone { TONE_PLAIN, TONE_GOOD, TONE_DIM, TONE_WARN, TONE_BAD, TONE_COUNT };

/* States in the order of trouble, the worst first; those that are not known come last, as NULL. */
struct state_row {
	const char *name;
	enum tone tone;
	bool trouble;
};
extern const struct state_row states[];
enum { STATE_COUNT = 8 };
/* An index into states, or STATE_COUNT. */
size_t state_index(const char *name);
enum tone state_tone(const char *name);

/* It does not serve as it should: its state says so, or an alarm. */
bool row_has_trouble(const struct view_row *row);
/* What is to be known of it, in a line that a terminal can take: alarms, why it does not serve, notes; "" when all is well. */
void row_remark(const struct view_row *row, char buf[CELL_MAX]);

#endif
