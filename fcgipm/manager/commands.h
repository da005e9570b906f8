/* The requests of clients: one row each (wire/control.h), one handler a row. */
#ifndef FCGIPM_MANAGER_COMMANDS_H
#define FCGIPM_MANAGER_COMMANDS_H

#include <stdbool.h>

#include "fcgipm/wire/table.h"

struct probe_peer;
struct client;
struct manager;

/* An operator: named in manager.control.operators, or the ordinary user who started us. */
bool commands_may_operate(const struct manager *m, const struct probe_peer *peer);
/* Checks the message and the client's right to it, and acts. */
enum wire_refusal commands_dispatch(struct client *c, struct wire_dgram *d, const char **ret_name);

#endif
