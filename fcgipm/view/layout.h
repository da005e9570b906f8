/* How the table of a view stands on so many columns of a terminal. */
#ifndef FCGIPM_VIEW_LAYOUT_H
#define FCGIPM_VIEW_LAYOUT_H

#include "fcgipm/base/text.h"
#include "fcgipm/view/view.h"

enum { LAYOUT_COLUMNS_MAX = 16, LAYOUT_GAP = 2, LAYOUT_NAME_LEAST = 16 };

struct layout {
	size_t count;
	const struct column *column[LAYOUT_COLUMNS_MAX];
	size_t width[LAYOUT_COLUMNS_MAX];
	bool unknown[LAYOUT_COLUMNS_MAX]; /* of every row: the first to go where there is no room */
	size_t total; /* with the gaps */
};

/* All columns, as wide as the rows of the view need.  Where width (0: no limit) is less than that names are shortened, then columns are given up; in
 * the end there is what fits of the name alone. */
struct layout layout_make(const struct view *v, size_t width);
/* Adds the cell of a column, padded to its width, the gap before it included; row NULL: its heading. */
void layout_cell(const struct layout *l, size_t i, const struct view_row *row, struct fp_doc *d);

#endif
