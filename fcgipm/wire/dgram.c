/* Seqpacket datagrams with descriptors (every process).  See unix(7), recvmsg(2). */
#include "fcgipm/wire/dgram.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "fcgipm/base/fd.h"

#ifndef SO_PASSRIGHTS /* Linux 6.16: newer than the headers of Debian 12 and 13 */
#define SO_PASSRIGHTS 83
#endif

void wire_begin(struct wire_dgram *d, struct wire_wr *w, uint16_t type, uint32_t seq)
{
	*w = (struct wire_wr){.at = d->bytes, .cap = sizeof(d->bytes)};
	wire_put_u16(w, type);
	wire_put_u16(w, 0);
	wire_put_u32(w, seq);
	d->type = type;
	d->seq = seq;
	d->nfds = 0;
}

int wire_end(struct wire_dgram *d, const struct wire_wr *w)
{
	d->len = w->len;
	return w->bad ? -EMSGSIZE : 0;
}

union control {
	char bytes[CMSG_SPACE(sizeof(int) * (WIRE_FDS_MAX + 1))];
	struct cmsghdr align;
};

int wire_send(int sock, const struct wire_dgram *d, const int *fds, unsigned nfds)
{
	union control control = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)d->bytes, .iov_len = d->len};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (nfds > WIRE_FDS_MAX)
		return -EINVAL;
	if (nfds > 0) {
		struct cmsghdr *c = &control.align;

		*c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int) * nfds)};
		memcpy(CMSG_DATA(c), fds, sizeof(int) * nfds);
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
	}
	for (;;) {
		if (sendmsg(sock, &m, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

/* Takes every descriptor out of the control data; those beyond the cap are closed.  Returns how many there were, -EPROTO for other data. */
static int take_control(struct msghdr *m, struct wire_dgram *d)
{
	int total = 0, bad = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			bad = -EPROTO;
			continue;
		}
		for (size_t i = 0; i < n; i++, total++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){0},
					 sizeof(struct linger)); /* or the sender decides how long our close() takes */
			if (d->nfds < WIRE_FDS_MAX)
				d->fds[d->nfds++] = fd;
			else
				fp_close(&fd);
		}
	}
	return bad < 0 ? bad : total;
}

/* Header and length are right. */
static bool read_header(struct wire_dgram *d, ssize_t n)
{
	struct wire_rd r = {.at = d->bytes, .len = (size_t)n};
	int zero;

	d->len = (size_t)n;
	d->type = wire_get_u16(&r);
	zero = wire_get_u16(&r);
	d->seq = wire_get_u32(&r);
	return !r.bad && zero == 0;
}

/* control NULL: no room for descriptors. */
static int receive(int sock, struct wire_dgram *d, union control *control, int flags)
{
	struct iovec iov = {.iov_base = d->bytes, .iov_len = sizeof(d->bytes)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = control != NULL ? sizeof(*control) : 0};
	bool good;
	ssize_t n;
	int fds;

	d->nfds = 0;
	d->len = 0;
	do
		n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC | flags);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	d->fds_wait = (m.msg_flags & MSG_CTRUNC) != 0;
	fds = control != NULL ? take_control(&m, d) : 0;
	if (n == 0 && fds == 0)
		return 0;
	good = read_header(d, n) && fds >= 0 && fds <= WIRE_FDS_MAX && (!d->fds_wait || (flags & MSG_PEEK) != 0);
	if (good && (m.msg_flags & MSG_TRUNC) == 0)
		return 1;
	wire_dgram_close(d);
	return (m.msg_flags & MSG_TRUNC) != 0 ? -EMSGSIZE : -EPROTO;
}

int wire_recv(int sock, struct wire_dgram *d)
{
	union control control;

	return receive(sock, d, &control, 0);
}

int wire_peek(int sock, struct wire_dgram *d)
{
	return receive(sock, d, NULL, MSG_PEEK);
}

int wire_recv_fds(int sock, int (*ret)[WIRE_FDS_MAX])
{
	union control control;
	char first;
	struct iovec iov = {.iov_base = &first, .iov_len = 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	size_t len;

	if (recvmsg(sock, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) < 0)
		return -errno;
	c = CMSG_FIRSTHDR(&m);
	if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || (m.msg_flags & MSG_CTRUNC) != 0)
		return -EPROTO;
	len = c->cmsg_len - CMSG_LEN(0);
	if (len > sizeof(*ret))
		return -EPROTO;
	memcpy(*ret, CMSG_DATA(c), len);
	return (int)(len / sizeof(int));
}

void wire_let_fds(int sock, bool let)
{
	int on = let;

	(void)setsockopt(sock, SOL_SOCKET, SO_PASSRIGHTS, &on, sizeof(on));
}

void wire_discard(int sock)
{
	char byte;

	(void)recv(sock, &byte, 1, MSG_DONTWAIT | MSG_TRUNC);
}

struct wire_rd wire_body(const struct wire_dgram *d)
{
	return (struct wire_rd){.at = d->bytes, .len = d->len, .pos = WIRE_HEADER_LEN, .bad = d->len < WIRE_HEADER_LEN};
}

int wire_take_fd(struct wire_dgram *d, unsigned i)
{
	return i < d->nfds ? FP_TAKE_FD(d->fds[i]) : -1;
}

void wire_dgram_close(struct wire_dgram *d)
{
	for (unsigned i = 0; i < d->nfds; i++)
		fp_close(&d->fds[i]);
	d->nfds = 0;
}
