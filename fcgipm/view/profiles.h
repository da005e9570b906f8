/* The columns of the exec broker's profiles, one row a column: fcgipm status and the status page show them by it, below the pools. */
#ifndef FCGIPM_VIEW_PROFILES_H
#define FCGIPM_VIEW_PROFILES_H

#include <stddef.h>

#include "fcgipm/base/text.h"
#include "fcgipm/view/columns.h"

struct profile_column {
	const char *heading, *help;
	size_t number, most; /* in struct wire_status_profile; most: what it may come to, or the same again */
	bool is_time; /* in ms */
};

extern const struct profile_column profile_columns[];
extern const size_t profile_column_count;

void profile_cell(const struct profile_column *c, const struct wire_status_profile *p, char buf[CELL_MAX]);

/* The table as text, an empty line before it; nothing where there is no profile. */
void profiles_render(struct fp_doc *d, const struct snapshot *s, bool colour);
/* How many lines that takes. */
size_t profiles_lines(const struct snapshot *s);

#endif
