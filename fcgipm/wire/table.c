/* The dispatcher (launcher, manager, conf).  What a handler sees has passed every check of its row. */
#include "fcgipm/wire/table.h"

const char *wire_refusal_name(enum wire_refusal r)
{
	static const char *const names[WIRE_REFUSAL_COUNT] = {
		[WIRE_ACCEPTED] = "accepted",
		[WIRE_UNKNOWN_TYPE] = "unknown type",
		[WIRE_WRONG_PHASE] = "wrong phase",
		[WIRE_TOO_LONG] = "too long",
		[WIRE_WRONG_FDS] = "wrong number of descriptors",
		[WIRE_MALFORMED] = "malformed",
	};

	return r < WIRE_REFUSAL_COUNT ? names[r] : "?";
}

static enum wire_refusal judge(const struct wire_row *row, uint32_t phase, const struct wire_dgram *d)
{
	if ((row->phases & phase) == 0 || row->handle == NULL)
		return WIRE_WRONG_PHASE;
	if (d->len > row->max_len)
		return WIRE_TOO_LONG;
	if (d->nfds < row->min_fds || d->nfds > row->max_fds)
		return WIRE_WRONG_FDS;
	return WIRE_ACCEPTED;
}

enum wire_refusal wire_dispatch(const struct wire_table *t, uint32_t phase, void *ctx, struct wire_dgram *d, const char **ret_name)
{
	const struct wire_row *row = d->type < t->count && t->rows[d->type].name != NULL ? &t->rows[d->type] : NULL;
	enum wire_refusal r = row != NULL ? judge(row, phase, d) : WIRE_UNKNOWN_TYPE;

	*ret_name = row != NULL ? row->name : "?";
	if (r == WIRE_ACCEPTED && row->handle(ctx, d) < 0)
		r = WIRE_MALFORMED;
	wire_dgram_close(d);
	return r;
}
