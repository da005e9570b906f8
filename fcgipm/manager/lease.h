/* Leases: the address or the door of a pool, for those who may connect; the listener itself for those who may hold it. */
#ifndef FCGIPM_MANAGER_LEASE_H
#define FCGIPM_MANAGER_LEASE_H

#include <stdbool.h>
#include <stdint.h>

struct acl_peer;
struct client;
struct pool;

bool lease_permitted(const struct pool *p, const struct acl_peer *who);
void lease_give(struct pool *p, struct client *c, uint32_t seq);

#endif
