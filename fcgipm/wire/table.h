/* The message table: what may arrive, from whom, in which phase, how long, with how many descriptors, and who handles it.
 * The dispatcher checks all of that before a handler runs; a handler only ever sees a message of the right shape. */
#ifndef FCGIPM_WIRE_TABLE_H
#define FCGIPM_WIRE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "fcgipm/wire/dgram.h"

typedef int wire_handler(void *ctx, struct wire_dgram *d); /* 0, or -errno: the message was malformed */

struct wire_row {
	const char *name; /* NULL: no such type */
	wire_handler *handle;
	uint32_t phases; /* bit set of the phases in which it may come */
	uint32_t max_len; /* header included */
	uint8_t min_fds, max_fds;
};

/* Rows by type. */
struct wire_table {
	const struct wire_row *rows;
	size_t count;
};
#define WIRE_TABLE(array) ((struct wire_table){(array), sizeof(array) / sizeof((array)[0])})

enum wire_refusal {
	WIRE_ACCEPTED,
	WIRE_UNKNOWN_TYPE,
	WIRE_WRONG_PHASE,
	WIRE_TOO_LONG,
	WIRE_WRONG_FDS,
	WIRE_MALFORMED, /* the handler could not read it */
	WIRE_REFUSAL_COUNT
};

/* "unknown type", "wrong phase", ... */
const char *wire_refusal_name(enum wire_refusal r);

/* Looks up, checks, handles.  Descriptors that nobody took are closed in any case.  *ret_name: the row's name, or "?". */
enum wire_refusal wire_dispatch(const struct wire_table *t, uint32_t phase, void *ctx, struct wire_dgram *d, const char **ret_name);

#endif
