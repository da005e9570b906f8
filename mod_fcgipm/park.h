/* Requests that wait without a thread (runs in httpd, event MPM of 2.4.63 and later).
 *
 * A connection can be handed back to the MPM until its socket can be read or written (CONN_STATE_ASYNC_WAITIO).  What we wait for is more than that: the
 * application, the client's leaving or sending, time.  So the client's apr_socket carries, while it is handed back, the descriptor of an epoll set of all these.
 */
#ifndef MOD_FCGIPM_PARK_H
#define MOD_FCGIPM_PARK_H

#include <httpd.h>
#include <stdbool.h>

struct talk;

/* Hooks and filters. */
void park_register(apr_pool_t *p);
/* In each child, and in the parent when the configuration has been read: whether this httpd can do it. */
void park_init(void);
bool park_is_possible(void);

/* Hands the request's connection back when the handler has returned; *ret_status is what it is to return.  False: this one has to wait in its thread. */
bool park_request(struct talk *t, int *ret_status);

#endif
