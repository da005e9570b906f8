/* The exec broker's ledger as the launcher writes it (wire/ledger.h): the profiles in the status. */
#ifndef FCGIPM_MANAGER_LEDGER_H
#define FCGIPM_MANAGER_LEDGER_H

#include <stddef.h>

#include "fcgipm/wire/cursor.h"

struct wire_ledger_line;

struct ledger {
	const struct wire_ledger_line *lines; /* NULL: there are no profiles */
	size_t count;
};

/* Takes fd (-1: none) in place of the one before.  0 or -errno: then it has no lines. */
int ledger_open(struct ledger *g, int fd);
void ledger_close(struct ledger *g);
/* u32 count, count times wire_status_profile, by name. */
void ledger_put(const struct ledger *g, struct wire_wr *w);

#endif
