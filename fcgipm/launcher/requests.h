/* What the manager asks (wire/launcher.h), each message answered once. */
#ifndef FCGIPM_LAUNCHER_REQUESTS_H
#define FCGIPM_LAUNCHER_REQUESTS_H

#include "fcgipm/wire/dgram.h"

struct launcher;

/* Handles one message or refuses it.  Descriptors of d that nobody took are closed. */
void requests_take(struct launcher *l, struct wire_dgram *d);
/* Begins the reload that had to wait for another load, if there is one. */
void requests_reload_next(struct launcher *l);

#endif
