/* Leases: the address or the door of a pool, for those who may connect; the listener itself for those who may hold it. */
#ifndef FCGIPM_MANAGER_LEASE_H
#define FCGIPM_MANAGER_LEASE_H

#include <stdbool.h>
#include <stdint.h>

struct probe_peer;
struct client;
struct manager;
struct pool;

bool lease_permitted(const struct pool *p, const struct probe_peer *who);
void lease_give(struct pool *p, struct client *c, uint32_t seq);
/* Says no, and why; or, where that may be otherwise in a moment, that there is no manager now. */
void lease_refuse(const struct manager *m, struct client *c, uint32_t seq, const char *why);
/* What a lease says, or who gets one, is not what it was: clients that lease are told when this turn of the loop ends. */
void lease_changed(struct manager *m);
void lease_tell(struct manager *m);

#endif
