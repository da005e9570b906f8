/* The table of a view as text. */
#ifndef FCGIPM_VIEW_TABLE_H
#define FCGIPM_VIEW_TABLE_H

#include "fcgipm/base/text.h"
#include "fcgipm/view/view.h"

struct table_style {
	size_t width; /* columns of the terminal; 0: no limit */
	size_t lines; /* no more are written; 0: no limit */
	bool colour;
};

/* The manager, how many pools are in which state, the pools within width, what is to be known of some of them, the exec broker's profiles. */
void table_render(struct fp_doc *d, const struct view *v, const struct table_style *style);
/* "1000 pools: 2 failed, 998 ready; 3 wait, 12.5 requests/s, 1.2G": without a newline. */
void table_totals(struct fp_doc *d, const struct view *v);

#endif
