/* Snapshots for the tests of the view: pools are listed, encoded and read back by the real reader. */
#ifndef TESTS_POOLS_H
#define TESTS_POOLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <stdlib.h>

#include "fcgipm/view/view.h"

struct pools_row {
	struct wire_status_pool f; /* texts that are NULL become "" */
	const char *alarm, *note; /* or NULL */
};

static inline void pools_put(struct wire_wr *w, const struct pools_row *row)
{
	struct wire_status_pool f = row->f;
	const char **texts[] = {&f.name, &f.state, &f.start, &f.start_reason, &f.listen, &f.user, &f.last_error};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (*texts[i] == NULL)
			*texts[i] = "";
	wire_put_status_pool(w, &f);
	wire_put_u32(w, 0);
	wire_put_u32(w, row->note != NULL);
	if (row->note != NULL)
		wire_put_str(w, row->note);
	wire_put_u32(w, row->alarm != NULL);
	if (row->alarm != NULL)
		wire_put_str(w, row->alarm);
	wire_put_u32(w, 0);
}

static inline void pools_encode(struct wire_wr *bytes, const struct pools_row *rows, uint32_t count)
{
	wire_put_u32(bytes, WIRE_STATUS_MAGIC);
	wire_put_status_manager(bytes,
				&(const struct wire_status_manager){.version = "0.1.0", .pid = 12, .launcher_pid = 11, .uptime_ms = 60000, .max_workers = 512});
	wire_put_u32(bytes, count);
	for (uint32_t i = 0; i < count; i++)
		pools_put(bytes, &rows[i]);
	wire_put_u32(bytes, 0); /* profiles */
	assert_false(bytes->bad);
}

/* bytes must live as long as the view has the snapshot: that and the one after it. */
static inline void pools_take(struct view *v, const struct pools_row *rows, uint32_t count, int64_t at_ms, struct wire_wr bytes)
{
	struct snapshot s;

	pools_encode(&bytes, rows, count);
	assert_int_equal(snapshot_decode(bytes.at, bytes.len, &s, NULL), 0);
	assert_int_equal(view_take(v, &s, at_ms), 0);
}

#endif
