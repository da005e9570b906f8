/* The leases of this process: taken from a manager, kept while it is gone, renewed when it says that something changed (runs in httpd: in the parent, which
 * is root and may hold listeners; in each child).  Any thread may call. */
#ifndef MOD_FCGIPM_LESSOR_H
#define MOD_FCGIPM_LESSOR_H

#include <httpd.h>
#include <apr_tables.h>
#include <stdbool.h>
#include <stdint.h>

#include "include/fcgipm/client.h"
#include "mod_fcgipm/stderr.h"

struct counters;
struct pool_counters;

struct lease {
	struct fcgipm_lease to;
	uint32_t refs;
	uint64_t epoch; /* the lessor's when it was taken */
	struct pool_counters *counters;
	int32_t waiting; /* requests that hold a thread for it */
	int32_t patience_ms; /* that a request for it waits in its thread before that is given back (wait.c) */
	struct stderr_source errors;
};

struct lessor;

/* Of a control socket; lives as long as the process.  threads: of one child. */
struct lessor *lessor_new(const char *control, struct counters *counters);
const char *lessor_control(const struct lessor *l);
/* In a child: the parent's connection is not its own. */
void lessor_child(struct lessor *l, bool threaded);

/* The pool's lease, to be given back with lease_put(); NULL: there is none, which is logged once for all requests until there is.  Waits for the manager only
 * where there is no lease yet. */
struct lease *lessor_lease(struct lessor *l, const char *pool, server_rec *s);
/* After a connection failed as if the pool were elsewhere now: a lease taken anew; NULL: there is none, or it is the same (old is given back then). */
struct lease *lessor_renew(struct lessor *l, struct lease *old, server_rec *s);
struct lease *lease_hold(struct lease *l);
void lease_put(struct lease *l);

/* The parent: leases the pools that the configuration names, with their listeners, and lets go of the others.  pools: of const char *. */
void lessor_hold(struct lessor *l, const apr_array_header_t *pools, server_rec *s);
/* The parent, now and then: does that again when the manager was not there, or has said that something changed. */
void lessor_hold_again(struct lessor *l, server_rec *s);

/* Calls tell for each lease that there is. */
void lessor_each(struct lessor *l, void (*tell)(void *ctx, const struct lease *lease), void *ctx);

#endif
