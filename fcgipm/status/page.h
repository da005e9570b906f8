/* The pages for people.  Each is a whole document that works without scripts; page.js brings <main> of a newer one into it. */
#ifndef FCGIPM_STATUS_PAGE_H
#define FCGIPM_STATUS_PAGE_H

#include "fcgipm/base/text.h"
#include "fcgipm/status/query.h"

enum { PAGE_ROWS = 200 };

/* The pools of a view, filtered and sorted as q says. */
void page_list(struct fp_doc *d, const struct query *q, const struct view *v);
/* Everything about one. */
void page_pool(struct fp_doc *d, const struct query *q, const struct snapshot_pool *p);
/* Why there is nothing to be shown, and what to do. */
void page_problem(struct fp_doc *d, const struct query *q, const char *what, const char *remedy);

#endif
