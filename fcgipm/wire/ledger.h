/* The exec broker's ledger: memory of the launcher's, one line a profile, which the manager reads for the status.  It is never written by anybody else (sealed),
 * and the launcher never reads it.  Each load of the configuration brings a new one: a line is one profile's for as long as the ledger lasts.
 */
#ifndef FCGIPM_WIRE_LEDGER_H
#define FCGIPM_WIRE_LEDGER_H

#include "fcgipm/wire/status.h"

/* clang-format off */

#define WIRE_LEDGER_FIELD(type, name) wire_type_##type name;

/* The figures are those of the status; each is written and read at once, and they are not of one moment. */
struct wire_ledger_line {
	char name[128]; /* with its NUL */
	WIRE_STATUS_PROFILE_FIGURES(WIRE_LEDGER_FIELD)
};

#endif
