/* Listening sockets: bound once, kept for as long as the pool lives. */
#ifndef FCGIPM_PRIV_LISTEN_H
#define FCGIPM_PRIV_LISTEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "fcgipm/base/err.h"

struct priv_listen {
	bool tcp;
	const char *address; /* path, or host:port with a numeric host */
	uint32_t uid, gid, mode; /* of a unix socket */
	uint32_t backlog;
	uint32_t account_uid, account_gid; /* of the pool: below its own directories its own rights do the work */
	const uint32_t *groups;
	uint32_t group_count;
};

/* What a unix socket's name was when it was bound: only this inode is ever unlinked. */
struct priv_bound {
	dev_t dev;
	ino_t ino;
};

/* Binds and listens.  A stale socket (nobody listens) is replaced; a live one is -EADDRINUSE ("somebody listens on ..."); anything that is no socket is
 * -EEXIST and stays.  Mode before owner.  *ret_fd close-on-exec, non-blocking not set (workers want a blocking accept).  *ret_door: O_PATH of the inode, for unix sockets.
 * -EXDEV: the way to it belongs to the account; call priv_listen_as_account in a child that became the account. */
int priv_listen_bind(const struct priv_listen *l, int *ret_fd, int *ret_door, struct priv_bound *ret_bound, struct fp_err *err);
/* The same with the rights that the caller has, on a socket made before the fork.  *ret_door: as above.  Async-signal-safe.  0 or -errno.  A child sends the door to
 * the parent, which finishes with priv_listen_adopt. */
int priv_listen_as_account(const struct priv_listen *l, int sock, int *ret_door);
/* After the child: checks that sock listens and that the door is a socket of the account's, and gives it its group.  The path is not looked at: below a 0700 home
 * we could not, and what lies there may have been changed. */
int priv_listen_adopt(const struct priv_listen *l, int sock, int door, struct priv_bound *ret_bound, struct fp_err *err);
/* Removes the name if it still is that inode; -EXDEV as above: then a child that became the account calls it.  Async-signal-safe there, with err NULL. */
int priv_listen_unlink(const struct priv_listen *l, const struct priv_bound *b, struct fp_err *err);
/* Applies owner, mode and backlog that changed, through the door, and listen() again.  A socket below the account's own directories stays the account's. */
int priv_listen_adjust(const struct priv_listen *l, int sock, int door, struct fp_err *err);
/* True when somebody shut it down (a non-blocking accept says EINVAL, or poll says POLLHUP). */
bool priv_listen_is_shut(int sock);

#endif
