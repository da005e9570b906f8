/* What the launcher says: one row a message, one handler a row. */
#ifndef FCGIPM_MANAGER_EVENTS_H
#define FCGIPM_MANAGER_EVENTS_H

struct manager;

void events_init(struct manager *m);

#endif
