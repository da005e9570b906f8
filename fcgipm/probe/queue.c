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

#include "fcgipm/base/clock.h"
#include "fcgipm/probe/answer.h"

enum { ANSWER_BYTES = 32768 }; /* the most that the kernel puts into one datagram of a dump */
/* A connection that one side has half closed is still being served. */
enum { IN_SERVICE = 1 << TCP_ESTABLISHED | 1 << TCP_FIN_WAIT1 | 1 << TCP_FIN_WAIT2 | 1 << TCP_CLOSE_WAIT | 1 << TCP_LAST_ACK | 1 << TCP_CLOSING };

int probe_diag_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	return fd < 0 ? -errno : fd;
}

/* ---- asking ---- */

/* An earlier dump that was broken off is still running in the kernel, and would refuse the next (EBUSY). */
static int diag_give_up(int diag, int error)
{
	char byte;

	while (recv(diag, &byte, 1, MSG_DONTWAIT) > 0)
		;
	return error;
}

/* Sends the question and reads all answers.  The kernel has the first ready when send returns and each further one when recv does, so nothing waits. */
static int diag_ask(int diag, struct nlmsghdr *question, answer_message *each, void *ctx)
{
	_Alignas(struct nlmsghdr) char buf[ANSWER_BYTES];
	int r = 0;

	question->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	question->nlmsg_flags |= NLM_F_REQUEST;
	question->nlmsg_seq = (uint32_t)fp_now_us(); /* no two questions in a microsecond */
	if (send(diag, question, question->nlmsg_len, 0) < 0)
		return -errno;
	while (r == 0) {
		ssize_t n = recv(diag, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0)
			r = errno == EINTR ? 0 : -errno;
		else
			r = (size_t)n > sizeof(buf) ? -EMSGSIZE : answer_walk(buf, (size_t)n, question->nlmsg_seq, each, ctx);
	}
	return r < 0 ? diag_give_up(diag, r) : 0;
}

struct unix_question {
	struct nlmsghdr h;
	struct unix_diag_req q;
};

/* ino 0: all. */
static struct unix_question unix_question(uint32_t ino, uint32_t states, uint32_t show)
{
	return (struct unix_question){
		.h = {.nlmsg_len = sizeof(struct unix_question), .nlmsg_flags = ino == 0 ? NLM_F_DUMP : 0},
		.q = {.sdiag_family = AF_UNIX, .udiag_states = states, .udiag_ino = ino, .udiag_show = show, .udiag_cookie = {~0u, ~0u}},
	};
}

static int take_socket(void *ctx, const struct nlmsghdr *h)
{
	int r = answer_socket(h, ctx);

	return r < 0 ? r : 1;
}

/* -ENOENT: no unix socket of our network namespace has that inode. */
static int ask_unix(int diag, uint32_t ino, uint32_t show, struct answer_socket *ret)
{
	struct unix_question q = unix_question(ino, ~0u, show);
	struct answer_socket a = {.family = 0};
	int r = diag_ask(diag, &q.h, take_socket, &a);

	if (r < 0)
		return r;
	if (a.family != AF_UNIX)
		return -EBADMSG;
	*ret = a;
	return 0;
}

/* ---- what identifies a listener ---- */

/* Without a name in the file system nothing joins a connection with its listener. */
static int init_unix(int diag, struct probe_listener *ret)
{
	struct answer_socket a;
	int r = ask_unix(diag, ret->sock_ino, UDIAG_SHOW_VFS, &a);

	if (r < 0)
		return r;
	if (!a.has_vfs)
		return -EADDRNOTAVAIL;
	ret->vfs_ino = a.vfs_ino;
	ret->vfs_dev = a.vfs_dev;
	return 0;
}

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
	struct stat st;
	int family, r;
	socklen_t len = sizeof(family);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) < 0 || fstat(fd, &st) < 0)
		return -errno;
	l.family = family;
	l.sock_ino = (uint32_t)st.st_ino;
	r = family == AF_UNIX ? init_unix(diag, &l) : init_inet(fd, &l);
	if (r == 0)
		*ret = l;
	return r;
}

/* ---- depth ---- */

int probe_queue_depth(int diag, const struct probe_listener *l, int fd, uint32_t *ret_depth, uint32_t *ret_limit)
{
	struct answer_socket a;
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
	if (!a.has_queue)
		return -EBADMSG;
	*ret_depth = a.depth;
	*ret_limit = a.limit;
	return 0;
}

/* ---- connections in service ---- */

/* An accepted unix socket bears its listener's name, by inode and device, whatever has happened to that name since; one that still waits has no inode of
 * its own and is not listed.  TCP that still waits is listed with inode 0. */
static bool is_connection(const struct probe_listener *l, const struct answer_socket *a)
{
	static const uint8_t any[16];
	size_t len = l->family == AF_INET ? 4 : 16;

	if (l->family != a->family || a->state == TCP_LISTEN || a->ino == 0)
		return false;
	if (l->family == AF_UNIX)
		return a->has_vfs && l->vfs_ino == a->vfs_ino && l->vfs_dev == a->vfs_dev;
	return l->port == a->port && (memcmp(l->addr, any, len) == 0 || memcmp(l->addr, a->addr, len) == 0);
}

int probe_is_connection(int diag, const struct probe_listener *l, uint32_t ino)
{
	struct answer_socket a;
	int r = ask_unix(diag, ino, UDIAG_SHOW_VFS, &a);

	return r < 0 ? r : is_connection(l, &a);
}

struct search {
	const struct probe_listener *ls;
	size_t count;
	probe_each *each;
	void *ctx;
};

static int match(void *ctx, const struct nlmsghdr *h)
{
	const struct search *s = ctx;
	struct answer_socket a;

	if (answer_socket(h, &a) < 0)
		return 0;
	for (size_t i = 0; i < s->count; i++)
		if (is_connection(&s->ls[i], &a))
			s->each(s->ctx, i, a.ino);
	return 0;
}

static int dump_unix(int diag, struct search *s)
{
	struct unix_question q = unix_question(0, 1 << TCP_ESTABLISHED, UDIAG_SHOW_VFS);

	return diag_ask(diag, &q.h, match, s);
}

/* The kernel passes over what is outside of the ports from least to most: two tests of a port, each followed by its operand; where one fails, the jump
 * leads behind the end, which means no. */
static int dump_inet(int diag, struct search *s, int family)
{
	uint16_t least = UINT16_MAX, most = 0;
	struct {
		struct nlmsghdr h;
		struct inet_diag_req_v2 q;
		struct rtattr filter;
		struct inet_diag_bc_op op[4];
	} q = {
		.h = {.nlmsg_len = sizeof(q), .nlmsg_flags = NLM_F_DUMP},
		.q = {.sdiag_family = (uint8_t)family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = IN_SERVICE},
		.filter = {.rta_type = INET_DIAG_REQ_BYTECODE, .rta_len = RTA_LENGTH(sizeof(q.op))},
	};

	for (size_t i = 0; i < s->count; i++) {
		if (s->ls[i].family != family)
			continue;
		least = s->ls[i].port < least ? s->ls[i].port : least;
		most = s->ls[i].port > most ? s->ls[i].port : most;
	}
	q.op[0] = (struct inet_diag_bc_op){.code = INET_DIAG_BC_S_GE, .yes = 8, .no = sizeof(q.op) + 4};
	q.op[1].no = least;
	q.op[2] = (struct inet_diag_bc_op){.code = INET_DIAG_BC_S_LE, .yes = 8, .no = 8 + 4};
	q.op[3].no = most;
	return diag_ask(diag, &q.h, match, s);
}

static bool any_of_family(const struct search *s, int family)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->ls[i].family == family)
			return true;
	return false;
}

int probe_connections(int diag, const struct probe_listener *ls, size_t count, probe_each *each, void *ctx)
{
	struct search s = {.ls = ls, .count = count, .each = each, .ctx = ctx};
	int r = 0;

	if (any_of_family(&s, AF_UNIX))
		r = dump_unix(diag, &s);
	if (r == 0 && any_of_family(&s, AF_INET))
		r = dump_inet(diag, &s, AF_INET);
	if (r == 0 && any_of_family(&s, AF_INET6))
		r = dump_inet(diag, &s, AF_INET6);
	return r;
}
