/* What the kernel says of a listening socket: how many wait, how many are being served.  Needs no capability.
 * Sources: sock_diag(7), unix_diag.h, tcp(7) TCP_INFO. */
#ifndef FCGIPM_PROBE_QUEUE_H
#define FCGIPM_PROBE_QUEUE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A netlink socket for sock_diag, close-on-exec.  -errno. */
int probe_diag_open(void);

/* What identifies a listener in answers of the kernel; filled once from its descriptor. */
struct probe_listener {
	int family; /* AF_UNIX, AF_INET, AF_INET6 */
	uint32_t sock_ino; /* inode of the socket itself */
	uint32_t vfs_ino, vfs_dev; /* of a unix socket's name, as UNIX_DIAG_VFS spells them */
	uint16_t port; /* of TCP, host order */
	uint8_t addr[16]; /* of TCP: all zero is the wildcard */
};
/* diag is a probe_diag_open() descriptor. 0 or -errno; -EADDRNOTAVAIL for a unix socket without a name in the file system. */
int probe_listener_init(int diag, int fd, struct probe_listener *ret);

/* Connections that wait to be accepted, and the backlog.  unix: sock_diag (5 us); TCP: TCP_INFO on fd (0.5 us).  0 or -errno. */
int probe_queue_depth(int diag, const struct probe_listener *l, int fd, uint32_t *ret_depth, uint32_t *ret_limit);

/* Inodes of the connections that were accepted from the listener (server-side sockets that bear its name and have an inode).  Calls each(ctx, inode); several listeners
 * in one dump: index says which of ls.  0 or -errno.  A unix client in another network namespace makes a socket that belongs to that namespace and is
 * not listed in ours. */
typedef void probe_each(void *ctx, size_t index, uint32_t inode);
int probe_connections(int diag, const struct probe_listener *ls, size_t count, probe_each *each, void *ctx);

/* Whether the unix socket with that inode was accepted from the listener: 1, 0; -ENOENT when no unix socket of our network namespace has it; -errno. */
int probe_is_connection(int diag, const struct probe_listener *l, uint32_t ino);

#endif
