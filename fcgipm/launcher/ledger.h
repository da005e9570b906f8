/* The launcher's end of the exec broker's ledger (wire/ledger.h): what the manager is told of the profiles, without a message for it. */
#ifndef FCGIPM_LAUNCHER_LEDGER_H
#define FCGIPM_LAUNCHER_LEDGER_H

#include <stddef.h>

struct launcher;
struct profile;
struct wire_ledger_line;

struct ledger {
	int fd; /* while there are lines */
	struct wire_ledger_line *lines; /* NULL: there is no profile, or no memory for them */
	size_t count;
};

/* A new one for the profiles that there are, told to the manager. */
void ledger_begin(struct launcher *l);
/* What a profile counts has changed. */
void ledger_tell(struct profile *p);
void ledger_end(struct launcher *l);

#endif
