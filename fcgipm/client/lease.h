/* A leased pool and connections to it. */
#ifndef FCGIPM_CLIENT_LEASE_H
#define FCGIPM_CLIENT_LEASE_H

#include "fcgipm/base/err.h"
#include "include/fcgipm/client.h"

/* As fcgipm_lease(), fcgipm_release() and fcgipm_connect().  deadline_ms as in client_wait. */
int lease_take(struct fcgipm_client *c, const char *pool, int64_t deadline_ms, struct fcgipm_lease *ret, struct fp_err *err);
void lease_release(struct fcgipm_lease *lease);
int lease_connect(const struct fcgipm_lease *lease, int timeout_ms, int *ret_fd, struct fp_err *err);

#endif
