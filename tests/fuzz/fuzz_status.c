/* Any bytes as a status snapshot: read, and if it is one, rendered in every way. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/client/render.h"
#include "fcgipm/client/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const renders[])(struct fp_doc *, const struct snapshot *) = {render_json, render_table, render_detail};
	struct snapshot s;

	if (snapshot_decode(data, size, &s, NULL) < 0)
		return 0;
	for (size_t i = 0; i < sizeof(renders) / sizeof(renders[0]); i++) {
		struct fp_doc d = {.at = NULL};

		renders[i](&d, &s);
		/* Neither people nor parsers get a control byte out of it. */
		for (size_t at = 0; at < d.len; at++)
			if ((uint8_t)d.at[at] < 0x20 && d.at[at] != '\n')
				abort();
		fp_doc_fini(&d);
	}
	snapshot_free(&s);
	return 0;
}
