/* Answers of sock_diag (launcher and manager processes).  Pure: lengths are what the message has, never what it claims. */
#include "fcgipm/probe/answer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>

static int walk_error(const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);

	return h->nlmsg_len >= NLMSG_LENGTH(sizeof(e->error)) && e->error < 0 ? e->error : -EBADMSG;
}

/* 0: go on; 1: it was the last one; -errno. */
static int walk_one(const struct nlmsghdr *h, answer_message *each, void *ctx)
{
	int r;

	if (h->nlmsg_type == NLMSG_DONE)
		return 1;
	if (h->nlmsg_type == NLMSG_ERROR)
		return walk_error(h);
	r = h->nlmsg_type == SOCK_DIAG_BY_FAMILY ? each(ctx, h) : 0;
	if (r != 0)
		return r;
	return (h->nlmsg_flags & NLM_F_MULTI) == 0;
}

int answer_walk(const void *buf, size_t len, uint32_t seq, answer_message *each, void *ctx)
{
	size_t at = 0;

	while (at < len) {
		const struct nlmsghdr *h = (const void *)((const char *)buf + at);
		int r;

		if (len - at < sizeof(*h) || h->nlmsg_len < sizeof(*h) || h->nlmsg_len > len - at)
			return -EBADMSG;
		r = h->nlmsg_seq == seq ? walk_one(h, each, ctx) : 0;
		if (r != 0)
			return r;
		at += NLMSG_ALIGN((size_t)h->nlmsg_len); /* beyond len behind a last one that is not padded */
	}
	return 0;
}

/* ---- one socket ---- */

/* Copies the attribute of that type, when it is there and has want bytes at least. */
static bool take_attribute(const struct nlmsghdr *h, size_t fixed, unsigned short type, void *ret, size_t want)
{
	size_t at = NLMSG_LENGTH(NLMSG_ALIGN(fixed));

	while (at < h->nlmsg_len && h->nlmsg_len - at >= sizeof(struct rtattr)) {
		const struct rtattr *a = (const void *)((const char *)h + at);

		if (a->rta_len < sizeof(*a) || a->rta_len > h->nlmsg_len - at)
			return false;
		if (a->rta_type == type && RTA_PAYLOAD(a) >= want) {
			memcpy(ret, RTA_DATA(a), want);
			return true;
		}
		at += RTA_ALIGN((size_t)a->rta_len);
	}
	return false;
}

static int take_unix(const struct nlmsghdr *h, struct answer_socket *ret)
{
	const struct unix_diag_msg *m = NLMSG_DATA(h);
	struct unix_diag_vfs vfs = {0};
	struct unix_diag_rqlen queue = {0};

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return -EBADMSG;
	*ret = (struct answer_socket){.family = AF_UNIX, .state = m->udiag_state, .ino = m->udiag_ino};
	ret->has_vfs = take_attribute(h, sizeof(*m), UNIX_DIAG_VFS, &vfs, sizeof(vfs));
	ret->vfs_ino = vfs.udiag_vfs_ino;
	ret->vfs_dev = vfs.udiag_vfs_dev;
	ret->has_queue = take_attribute(h, sizeof(*m), UNIX_DIAG_RQLEN, &queue, sizeof(queue));
	ret->depth = queue.udiag_rqueue;
	ret->limit = queue.udiag_wqueue;
	return 0;
}

static int take_inet(const struct nlmsghdr *h, struct answer_socket *ret)
{
	const struct inet_diag_msg *m = NLMSG_DATA(h);

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return -EBADMSG;
	*ret = (struct answer_socket){
		.family = m->idiag_family,
		.state = m->idiag_state,
		.ino = m->idiag_inode,
		.port = ntohs(m->id.idiag_sport),
	};
	memcpy(ret->addr, m->id.idiag_src, m->idiag_family == AF_INET ? 4 : 16);
	return 0;
}

int answer_socket(const struct nlmsghdr *h, struct answer_socket *ret)
{
	uint8_t family;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(family)))
		return -EBADMSG;
	family = *(const uint8_t *)NLMSG_DATA(h); /* of each kind the first byte */
	if (family == AF_UNIX)
		return take_unix(h, ret);
	return family == AF_INET || family == AF_INET6 ? take_inet(h, ret) : -EBADMSG;
}
