/* Answers of sock_diag (netlink(7), sock_diag(7), linux/unix_diag.h, linux/inet_diag.h), read within bounds.  Pure. */
#ifndef FCGIPM_PROBE_ANSWER_H
#define FCGIPM_PROBE_ANSWER_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 0: go on; anything else ends the walk and is its result. */
typedef int answer_message(void *ctx, const struct nlmsghdr *h);

/* One datagram of answers, aligned as a struct nlmsghdr; messages that do not bear seq belong to an earlier question and are passed over.
 * 0: more is to come; 1: that was the last; -errno: the kernel's, or -EBADMSG. */
int answer_walk(const void *buf, size_t len, uint32_t seq, answer_message *each, void *ctx);

/* What is said of one socket; has_x tells what was there. */
struct answer_socket {
	int family;
	uint8_t state; /* TCP_ESTABLISHED, TCP_LISTEN ... also of unix sockets */
	uint32_t ino; /* 0: TCP that nobody has accepted yet */
	bool has_vfs;
	uint32_t vfs_ino, vfs_dev; /* unix: of the name */
	bool has_queue;
	uint32_t depth, limit; /* unix: of a listener, connections that wait and the backlog */
	uint16_t port; /* TCP: our end, host order */
	uint8_t addr[16];
};
/* 0, or -EBADMSG for what is neither a unix nor an inet socket. */
int answer_socket(const struct nlmsghdr *h, struct answer_socket *ret);

#endif
