/* The requests of clients: one row each (wire/control.h), one handler a row. */
#ifndef FCGIPM_MANAGER_COMMANDS_H
#define FCGIPM_MANAGER_COMMANDS_H

#include "fcgipm/wire/table.h"

struct client;

/* Checks the message and the client's right to it, and acts. */
enum wire_refusal commands_dispatch(struct client *c, struct wire_dgram *d, const char **ret_name);

#endif
