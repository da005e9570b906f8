/* For frontends: lease a pool from a running manager, then connect to it for each request; and have programs run by the exec broker, below.  Link with -lfcgipm.
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
#ifdef FCGIPM_EXPORT /* the library itself is being built */
#pragma GCC visibility push(default)
#endif

struct fcgipm_error {
	int code; /* errno of the failure */
	int refusal; /* of the exec broker: enum fcgipm_refusal; 0: it was none */
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

/* ---- the exec broker: fork and exec by fcgipm, under another account, in a jail; the descriptors come back ----
 *
 *   const char *const argv[] = {"/usr/lib/cgi-bin/hello", NULL};
 *   struct fcgipm_program what = {.profile = "cgi", .argv = argv, .stdio = {-1, -1, -1}};
 *   struct fcgipm_run run;
 *   struct fcgipm_end end;
 *
 *   if (fcgipm_exec(FCGIPM_CONTROL_SOCKET, &what, 5000, &run, &err) == 0) {
 *           ...write to run.stdio[0], read run.stdio[1] and run.stdio[2]...
 *           fcgipm_wait(&run, -1, &end, &err);
 *           fcgipm_run_close(&run);
 *   }
 */

enum { FCGIPM_NULL = -2 };

struct fcgipm_program {
	const char *profile; /* below exec: in the configuration */
	const char *const *argv; /* NULL-terminated; argv[0] is the program's absolute path, below one of the profile's roots */
	const char *const *envp; /* NULL-terminated NAME=VALUE, of which the profile lets some through; NULL: none */
	const char *directory; /* where it runs, inside the profile's chroot; NULL: the directory of the program */
	/* Descriptors for it, which stay the caller's; -1: a pipe is made, and its other end comes back; FCGIPM_NULL: /dev/null.  To cancel one that was given any and has
	 * not begun closes the connection. */
	int stdio[3];
};

/* A connection to the broker: one run at a time.  It may be used for the next when one has ended. */
struct fcgipm_broker;

struct fcgipm_run {
	struct fcgipm_broker *broker;
	int pid;
	int pidfd; /* readable when it has ended */
	int stdio[3]; /* our ends of the pipes, blocking, close-on-exec; -1 where there is none.  Close or take what you do not need. */
};

/* why it ended */
enum fcgipm_end_why { FCGIPM_ENDED_BY_ITSELF, FCGIPM_ENDED_BY_TIMEOUT, FCGIPM_ENDED_BY_CANCEL };

struct fcgipm_end {
	int status; /* as of waitpid(2) */
	enum fcgipm_end_why why;
	int64_t user_us, system_us; /* processor time, its children's with it */
	int64_t max_rss_kb; /* peak memory */
};

/* Starts what, waiting timeout_ms at most (-1: for ever) for the manager, for its turn and for exec.  *ret is the caller's, to be ended with
 * fcgipm_run_close().  -EACCES: refused; err->refusal says why (include/fcgipm/refusal.h); -EAGAIN: refused since as many run
 * and wait as may; -ETIMEDOUT: cancelled; others as fcgipm_open(). */
int fcgipm_exec(const char *control_socket, const struct fcgipm_program *what, int timeout_ms, struct fcgipm_run *ret, struct fcgipm_error *err);
/* Waits for its end.  -ETIMEDOUT: it runs on; -ECONNRESET: the launcher has gone; what runs may go on until
 * the next one starts, so it is not to be begun again before that. */
int fcgipm_wait(struct fcgipm_run *run, int timeout_ms, struct fcgipm_end *ret, struct fcgipm_error *err);
/* SIGTERM and, after the profile's stop.timeout, SIGKILL; at_once: SIGKILL.  Does not wait. */
int fcgipm_cancel(struct fcgipm_run *run, int at_once);
/* Closes what is left of it; one that still runs is ended, unless the profile lets it go on. */
void fcgipm_run_close(struct fcgipm_run *run);

/* The same in steps, for who has other things to wait for. */
int fcgipm_broker_open(const char *control_socket, int timeout_ms, struct fcgipm_broker **ret, struct fcgipm_error *err);
void fcgipm_broker_close(struct fcgipm_broker *broker);
/* To be polled for POLLIN: then fcgipm_broker_next() has something to say. */
int fcgipm_broker_fd(const struct fcgipm_broker *broker);
/* Asks for a run.  -EBUSY: the one before has not ended; -E2BIG: more than 256 KB of arguments and environment. */
int fcgipm_broker_ask(struct fcgipm_broker *broker, const struct fcgipm_program *what, struct fcgipm_error *err);
enum fcgipm_news { FCGIPM_NEWS_NONE, FCGIPM_NEWS_STARTED, FCGIPM_NEWS_ENDED };
/* Does not wait: FCGIPM_NEWS_NONE; FCGIPM_NEWS_STARTED, *run is filled; FCGIPM_NEWS_ENDED, *end is filled; -EACCES and -EAGAIN: refused, and the connection can be
 * used again unless the request brought descriptors that nobody took (then it is closed: -ECONNRESET); -ECONNRESET, -EPROTO: it cannot. */
int fcgipm_broker_next(struct fcgipm_broker *broker, struct fcgipm_run *run, struct fcgipm_end *end, struct fcgipm_error *err);
int fcgipm_broker_cancel(struct fcgipm_broker *broker, int at_once);
/* Why the last run was refused: enum fcgipm_refusal; 0 when it was not. */
int fcgipm_refusal(const struct fcgipm_broker *broker);
/* "outside-roots"; "?" for a number that has no name. */
const char *fcgipm_refusal_name(int refusal);

#ifdef FCGIPM_EXPORT
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
