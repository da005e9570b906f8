/* For frontends: lease a pool from a running manager, then connect to it for each request.
 *
 *   struct fcgipm_error err;
 *   struct fcgipm_client *manager;
 *   struct fcgipm_lease lease;
 *   int fd;
 *
 *   if (fcgipm_open(FCGIPM_CONTROL_SOCKET, &manager, &err) == 0) {
 *           if (fcgipm_lease(manager, "blog", 5000, &lease, &err) == 0) {
 *                   if (fcgipm_connect(&lease, 1000, &fd, &err) == 0)
 *                           ...speak FastCGI on fd...
 *                   fcgipm_release(&lease);
 *           }
 *           fcgipm_close(manager);
 *   }
 *
 * A lease outlives the connection to the manager, and the manager itself: take it once a process.  Nothing here starts
 * a thread, keeps a global, logs, or raises a signal.  A client serves one thread at a time; a lease, once taken, is
 * only read.
 *
 * Every function that can fail returns 0 or -errno and describes the failure in *err, which may be NULL; outputs
 * (ret_x) are untouched then.
 */
#ifndef FCGIPM_CLIENT_H
#define FCGIPM_CLIENT_H

#include <stdint.h>

#include "protocol.h"

#ifdef __cplusplus
extern "C" {
#endif

struct fcgipm_error {
	int code; /* errno of the failure */
	char text[512]; /* for people; what the manager said is in it with its control bytes as they came */
};

/* A connection to the manager's control socket. */
struct fcgipm_client;

struct fcgipm_lease {
	char pool[FCGIPM_POOL_NAME_MAX + 1];
	char address[128]; /* a socket's path, or a numeric host and port: 127.0.0.1:9000, [::1]:9000 */
	int door; /* O_PATH descriptor of a private socket, else -1; owned by the lease */
	int listener; /* the listening socket, for those who may hold it, else -1; owned by the lease */
	int64_t queue_timeout_ms; /* how long a request may wait unread before the answer is 503; 0: no limit */
	uint32_t queue_limit; /* connections that may wait: the backlog */
	uint32_t concurrency; /* requests that one worker serves at once */
	char chroot[4096]; /* the workers' root directory, or "": paths in parameters are to be seen from there */
};

/* Connects to control_socket.  *ret is the caller's, to be ended with fcgipm_close().
 * -ENOENT, -ECONNREFUSED: no manager there; -EACCES: this account may not even connect; -ENAMETOOLONG. */
int fcgipm_open(const char *control_socket, struct fcgipm_client **ret, struct fcgipm_error *err);
void fcgipm_close(struct fcgipm_client *client);

/* Leases a pool, waiting timeout_ms at most (-1: for ever).  *ret owns its descriptors, close-on-exec, until
 * fcgipm_release(). -EACCES: refused, or no such pool (err has the manager's reason); -ETIMEDOUT; -ECONNRESET: the
 * manager ended, is about to, or has just begun: what was leased before stands; -EPROTO: it talks nonsense. */
int fcgipm_lease(struct fcgipm_client *client, const char *pool, int timeout_ms, struct fcgipm_lease *ret, struct fcgipm_error *err);
void fcgipm_release(struct fcgipm_lease *lease);

/* Whether the manager has said since the last call that what was leased over this client, or refused, may have changed: 1, and lease anew; 0; -ECONNRESET:
 * it has gone, and leases stand until there is another.  Does not wait. */
int fcgipm_changed(struct fcgipm_client *client);

/* A connected stream socket to one of the pool's workers, non-blocking and close-on-exec; it is the caller's.
 * timeout_ms bounds a TCP connection's making (-1: the kernel's own limit). -EAGAIN: the queue of a unix socket is
 * full, which is known at once: answer 503 with Retry-After; -ECONNREFUSED, -ENOENT: nobody listens, lease anew;
 * -ETIMEDOUT; -EACCES. */
int fcgipm_connect(const struct fcgipm_lease *lease, int timeout_ms, int *ret_fd, struct fcgipm_error *err);

#ifdef __cplusplus
}
#endif

#endif
