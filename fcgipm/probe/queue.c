/* Queues and connections by sock_diag (launcher and manager processes).  Unprivileged; answers for our own network namespace.
 * What comes over netlink is the kernel's, but it is read within bounds all the same. */
#include "fcgipm/probe/queue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANSWER_BYTES = 32768, ESTABLISHED = 1 << TCP_ESTABLISHED };
/* A connection that one side has half closed is still being served. */
enum { IN_SERVICE = 1 << TCP_ESTABLISHED | 1 << TCP_FIN_WAIT1 | 1 << TCP_FIN_WAIT2 | 1 << TCP_CLOSE_WAIT | 1 << TCP_LAST_ACK | 1 << TCP_CLOSING };

int probe_diag_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	return fd < 0 ? -errno : fd;
}

/* ---- netlink ---- */

typedef int diag_message(void *ctx, const struct nlmsghdr *h); /* 0: go on; 1: enough; -errno */

static int diag_ask(int diag, void *request, size_t len)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	do
		n = sendto(diag, request, len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* One buffer of answers.  1: the last of them was seen. */
static int diag_walk(const char *buf, size_t len, diag_message *each, void *ctx)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)buf;

	for (; NLMSG_OK(h, len); h = NLMSG_NEXT(h, len)) {
		int r;

		if (h->nlmsg_type == NLMSG_DONE)
			return 1;
		if (h->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *e = NLMSG_DATA(h);

			return h->nlmsg_len >= NLMSG_LENGTH(sizeof(*e)) && e->error < 0 ? e->error : -EPROTO;
		}
		r = each(ctx, h);
		if (r != 0)
			return r;
	}
	return 0;
}

static int diag_read(int diag, bool dump, diag_message *each, void *ctx)
{
	_Alignas(struct nlmsghdr) char buf[ANSWER_BYTES];
	int r = 0;

	while (r == 0) {
		ssize_t n = recv(diag, buf, sizeof(buf), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EPROTO;
		r = diag_walk(buf, (size_t)n, each, ctx);
		if (!dump)
			return r < 0 ? r : 0;
	}
	return r < 0 ? r : 0;
}

/* The attribute of that type, or NULL; want: its least length. */
static const void *attribute(const struct nlmsghdr *h, size_t fixed, unsigned short type, size_t want)
{
	const struct rtattr *a = (const struct rtattr *)((const char *)NLMSG_DATA(h) + NLMSG_ALIGN(fixed));
	size_t left = h->nlmsg_len - NLMSG_SPACE(fixed);

	if (h->nlmsg_len < NLMSG_SPACE(fixed))
		return NULL;
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == type && RTA_PAYLOAD(a) >= want)
			return RTA_DATA(a);
	return NULL;
}

/* ---- unix sockets ---- */

struct unix_request {
	struct nlmsghdr h;
	struct unix_diag_req q;
};

static struct unix_request unix_request(uint32_t ino, uint32_t states, uint32_t show)
{
	return (struct unix_request){
		.h = {.nlmsg_len = sizeof(struct unix_request), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | (ino == 0 ? NLM_F_DUMP : 0)},
		.q = {.sdiag_family = AF_UNIX, .udiag_states = states, .udiag_ino = ino, .udiag_show = show, .udiag_cookie = {~0u, ~0u}},
	};
}

struct unix_answer {
	bool seen;
	struct unix_diag_vfs vfs;
	struct unix_diag_rqlen queue;
};

static int take_unix(void *ctx, const struct nlmsghdr *h)
{
	struct unix_answer *a = ctx;
	const void *vfs = attribute(h, sizeof(struct unix_diag_msg), UNIX_DIAG_VFS, sizeof(a->vfs));
	const void *queue = attribute(h, sizeof(struct unix_diag_msg), UNIX_DIAG_RQLEN, sizeof(a->queue));

	a->seen = true;
	if (vfs != NULL)
		memcpy(&a->vfs, vfs, sizeof(a->vfs));
	if (queue != NULL)
		memcpy(&a->queue, queue, sizeof(a->queue));
	return 1;
}

static int ask_unix(int diag, uint32_t ino, uint32_t show, struct unix_answer *ret)
{
	struct unix_request q = unix_request(ino, ~0u, show);
	int r = diag_ask(diag, &q, sizeof(q));

	*ret = (struct unix_answer){.seen = false};
	if (r == 0)
		r = diag_read(diag, false, take_unix, ret);
	return r < 0 ? r : ret->seen ? 0 : -ENOENT;
}

/* ---- what identifies a listener ---- */

static int init_inet(int fd, struct probe_listener *ret)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a;
	socklen_t len = sizeof(a);

	if (getsockname(fd, &a.any, &len) < 0)
		return -errno;
	if (a.any.sa_family == AF_INET) {
		ret->port = ntohs(a.v4.sin_port);
		memcpy(ret->addr, &a.v4.sin_addr, 4);
	} else if (a.any.sa_family == AF_INET6) {
		ret->port = ntohs(a.v6.sin6_port);
		memcpy(ret->addr, &a.v6.sin6_addr, 16);
	} else {
		return -EAFNOSUPPORT;
	}
	return 0;
}

int probe_listener_init(int diag, int fd, struct probe_listener *ret)
{
	struct probe_listener l = {.family = 0};
	struct unix_answer a;
	struct stat st;
	int family, r;
	socklen_t len = sizeof(family);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) < 0 || fstat(fd, &st) < 0)
		return -errno;
	l.family = family;
	l.sock_ino = (uint32_t)st.st_ino;
	if (family == AF_UNIX) {
		r = ask_unix(diag, l.sock_ino, UDIAG_SHOW_VFS, &a);
		l.vfs_ino = a.vfs.udiag_vfs_ino;
		l.vfs_dev = a.vfs.udiag_vfs_dev;
	} else {
		r = init_inet(fd, &l);
	}
	if (r == 0)
		*ret = l;
	return r;
}

/* ---- depth ---- */

int probe_queue_depth(int diag, const struct probe_listener *l, int fd, uint32_t *ret_depth, uint32_t *ret_limit)
{
	struct unix_answer a;
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);
	int r;

	if (l->family != AF_UNIX) {
		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
			return -errno;
		*ret_depth = info.tcpi_unacked; /* of a listener: connections that wait, and the backlog */
		*ret_limit = info.tcpi_sacked;
		return 0;
	}
	r = ask_unix(diag, l->sock_ino, UDIAG_SHOW_RQLEN, &a);
	if (r < 0)
		return r;
	*ret_depth = a.queue.udiag_rqueue;
	*ret_limit = a.queue.udiag_wqueue;
	return 0;
}

/* ---- connections in service ---- */

struct search {
	const struct probe_listener *ls;
	size_t count;
	probe_each *each;
	void *ctx;
};

/* An accepted socket bears the inode of its listener's name; one that still waits has no socket inode and is not in the dump. */
static int match_unix(void *ctx, const struct nlmsghdr *h)
{
	const struct search *s = ctx;
	const struct unix_diag_msg *m = NLMSG_DATA(h);
	const struct unix_diag_vfs *vfs = attribute(h, sizeof(*m), UNIX_DIAG_VFS, sizeof(*vfs));

	for (size_t i = 0; vfs != NULL && i < s->count; i++)
		if (s->ls[i].family == AF_UNIX && s->ls[i].vfs_ino == vfs->udiag_vfs_ino && s->ls[i].vfs_dev == vfs->udiag_vfs_dev)
			s->each(s->ctx, i, m->udiag_ino);
	return 0;
}

static bool same_end(const struct probe_listener *l, const struct inet_diag_msg *m)
{
	static const uint8_t any[16];
	size_t len = l->family == AF_INET ? 4 : 16;

	return l->family == m->idiag_family && htons(l->port) == m->id.idiag_sport &&
	       (memcmp(l->addr, any, len) == 0 || memcmp(l->addr, m->id.idiag_src, len) == 0);
}

static int match_inet(void *ctx, const struct nlmsghdr *h)
{
	const struct search *s = ctx;
	const struct inet_diag_msg *m = NLMSG_DATA(h);

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) || m->idiag_inode == 0)
		return 0; /* inode 0: not accepted yet */
	for (size_t i = 0; i < s->count; i++)
		if (same_end(&s->ls[i], m))
			s->each(s->ctx, i, m->idiag_inode);
	return 0;
}

static int dump_unix(int diag, struct search *s)
{
	struct unix_request q = unix_request(0, ESTABLISHED, UDIAG_SHOW_VFS);
	int r = diag_ask(diag, &q, sizeof(q));

	return r < 0 ? r : diag_read(diag, true, match_unix, s);
}

/* The kernel picks the port when there is one listener alone. */
static int dump_inet(int diag, struct search *s, int family)
{
	struct {
		struct nlmsghdr h;
		struct inet_diag_req_v2 q;
	} q = {
		.h = {.nlmsg_len = sizeof(q), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.q = {.sdiag_family = (uint8_t)family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = IN_SERVICE},
	};
	int r;

	if (s->count == 1)
		q.q.id.idiag_sport = htons(s->ls[0].port);
	r = diag_ask(diag, &q, sizeof(q));
	return r < 0 ? r : diag_read(diag, true, match_inet, s);
}

int probe_connections(int diag, const struct probe_listener *ls, size_t count, probe_each *each, void *ctx)
{
	static const int families[] = {AF_UNIX, AF_INET, AF_INET6};
	struct search s = {.ls = ls, .count = count, .each = each, .ctx = ctx};

	for (size_t f = 0; f < 3; f++) {
		bool any = false;
		int r;

		for (size_t i = 0; i < count; i++)
			any |= ls[i].family == families[f];
		if (!any)
			continue;
		r = families[f] == AF_UNIX ? dump_unix(diag, &s) : dump_inet(diag, &s, families[f]);
		if (r < 0)
			return r;
	}
	return 0;
}
