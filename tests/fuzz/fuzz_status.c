/* Any bytes as a status snapshot: read, and if it is one, rendered in every way, sorted by every column, compared with itself. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/client/openmetrics.h"
#include "fcgipm/client/render.h"
#include "fcgipm/client/snapshot.h"
#include "fcgipm/view/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Neither people nor parsers get a control byte out of it. */
static void finish(struct fp_doc *d)
{
	for (size_t at = 0; at < d->len; at++)
		if ((uint8_t)d->at[at] < 0x20 && d->at[at] != '\n')
			abort();
	fp_doc_fini(d);
}

static void tables(struct view *v)
{
	for (size_t i = 0; i < column_count; i++) {
		struct fp_doc d = {.at = NULL};

		v->sort = &columns[i];
		view_arrange(v);
		table_render(&d, v, &(const struct table_style){.width = i * 20, .lines = i * 3});
		finish(&d);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const renders[])(struct fp_doc *, const struct snapshot *) = {render_json, render_detail, openmetrics_render};
	struct view v = {.sort = NULL};
	struct snapshot s;

	if (snapshot_decode(data, size, &s, NULL) < 0)
		return 0;
	for (size_t i = 0; i < sizeof(renders) / sizeof(renders[0]); i++) {
		struct fp_doc d = {.at = NULL};

		renders[i](&d, &s);
		finish(&d);
	}
	if (view_take(&v, &s, 1000) == 0 && snapshot_decode(data, size, &s, NULL) == 0)
		(void)view_take(&v, &s, 2000);
	tables(&v);
	view_fini(&v);
	return 0;
}
