/* What the status tells, one row a figure: its place in JSON, its meaning (columns of the table: view/columns.h).  A new figure is a
 * field in wire/status.h and a row here; every rendering follows. */
#ifndef FCGIPM_CLIENT_FIGURES_H
#define FCGIPM_CLIENT_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgipm/base/text.h"
#include "fcgipm/client/snapshot.h"

enum figure_type { FIGURE_TEXT, FIGURE_I32, FIGURE_U32, FIGURE_I64, FIGURE_U64, FIGURE_PIDS, FIGURE_TEXTS };

struct figure {
	const char *path; /* "queue.depth" is depth in the object queue; rows of one object stand together */
	enum figure_type type;
	size_t offset; /* in struct snapshot_pool, struct wire_status_manager or struct wire_status_profile */
	const char *help;
};

extern const struct figure figures_manager[];
extern const size_t figures_manager_count;
extern const struct figure figures_pool[];
extern const size_t figures_pool_count;
extern const struct figure figures_profile[];
extern const size_t figures_profile_count;

/* A number of a row, widened; false: unknown, or no number (unsigned ones are never unknown, and stay within an int64_t
 * or are cut to it). */
bool figure_number(const struct figure *f, const void *base, int64_t *ret);
/* A text of a row; NULL: empty, or no text. */
const char *figure_text(const struct figure *f, const void *base);
/* A list of a row; NULL: no list. */
const struct snapshot_list *figure_list(const struct figure *f, const void *base);

#endif
