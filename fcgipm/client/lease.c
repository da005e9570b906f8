/* A leased pool and connections to it (runs in a frontend or in the command line).  A private socket is reached through
 * its door: an O_PATH descriptor of the socket's inode, to which one connects as /proc/self/fd/N (unix(7), proc(5)). */
#include "fcgipm/client/lease.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/units.h"
#include "fcgipm/client/control.h"

struct address {
	socklen_t len;
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
};

struct taking {
	struct fcgipm_lease lease;
	bool done;
};

static bool copy_text(char *to, size_t cap, const char *from)
{
	size_t len = strlen(from);

	if (len >= cap)
		return false;
	memcpy(to, from, len + 1);
	return true;
}

static int on_leased(void *ctx, struct wire_dgram *d)
{
	struct taking *t = ctx;
	struct wire_rd r = wire_body(d);
	struct wire_c_leased m;
	unsigned doors;

	if (t->done || !wire_read_c_leased(&r, &m) || m.kind > 1 || d->nfds < m.kind)
		return -EPROTO;
	if (!copy_text(t->lease.pool, sizeof(t->lease.pool), m.pool) || !copy_text(t->lease.address, sizeof(t->lease.address), m.address) ||
	    !copy_text(t->lease.chroot, sizeof(t->lease.chroot), m.chroot))
		return -EPROTO;
	doors = m.kind;
	t->lease.queue_timeout_ms = m.queue_timeout_ms;
	t->lease.queue_limit = m.queue_limit;
	t->lease.concurrency = m.concurrency;
	t->lease.door = doors == 1 ? wire_take_fd(d, 0) : -1;
	t->lease.listener = wire_take_fd(d, doors);
	t->done = true;
	return 0;
}

static int judge(const struct taking *t, const struct client_answer *a, struct fp_err *err)
{
	if (a->code == FCGIPM_EXIT_NO_MANAGER)
		return fp_fail(err, ECONNRESET, "%s", a->text);
	if (a->code != FCGIPM_EXIT_DONE)
		return fp_fail(err, EACCES, "%s", a->text[0] != '\0' ? a->text : "the manager refused");
	if (!t->done)
		return fp_fail(err, EPROTO, "the manager said yes and gave nothing");
	return 0;
}

int lease_take(struct fcgipm_client *c, const char *pool, int64_t deadline_ms, struct fcgipm_lease *ret, struct fp_err *err)
{
	struct taking t = {.lease = {.door = -1, .listener = -1}};
	const struct client_wait wait = {.deadline_ms = deadline_ms, .leased = on_leased, .ctx = &t};
	struct client_answer answer = {.fd = -1};
	int r;

	wire_put_c_pool(client_begin(c, WIRE_C_LEASE), &(const struct wire_c_pool){.pool = pool});
	r = client_call(c, &wait, &answer, err);
	fp_close(&answer.fd);
	if (r == 0)
		r = judge(&t, &answer, err);
	if (r < 0) {
		lease_release(&t.lease);
		return r;
	}
	*ret = t.lease;
	return 0;
}

void lease_release(struct fcgipm_lease *lease)
{
	fp_close(&lease->door);
	fp_close(&lease->listener);
}

static void to_unix(const char *path, struct address *ret)
{
	ret->un.sun_family = AF_UNIX;
	snprintf(ret->un.sun_path, sizeof(ret->un.sun_path), "%s", path);
	ret->len = sizeof(ret->un);
}

/* 127.0.0.1:9000 or [::1]:9000 */
static int to_inet(const char *text, struct address *ret)
{
	const char *colon = strrchr(text, ':');
	char host[64];
	size_t len;
	uint64_t port;

	if (colon == NULL || fp_parse_u64(colon + 1, &port) < 0 || port > 65535)
		return -EINVAL;
	len = (size_t)(colon - text);
	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	ret->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	ret->len = sizeof(ret->in);
	if (inet_pton(AF_INET, host, &ret->in.sin_addr) == 1)
		return 0;
	if (len < 2 || host[0] != '[' || host[len - 1] != ']')
		return -EINVAL;
	host[len - 1] = '\0';
	ret->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	ret->len = sizeof(ret->in6);
	return inet_pton(AF_INET6, host + 1, &ret->in6.sin6_addr) == 1 ? 0 : -EINVAL;
}

static int to_address(const struct fcgipm_lease *lease, struct address *ret)
{
	char door[32];

	*ret = (struct address){.len = 0};
	if (lease->door >= 0) {
		snprintf(door, sizeof(door), "/proc/self/fd/%d", lease->door);
		to_unix(door, ret);
		return 0;
	}
	if (lease->address[0] != '/')
		return to_inet(lease->address, ret);
	if (strlen(lease->address) >= sizeof(ret->un.sun_path))
		return -ENAMETOOLONG;
	to_unix(lease->address, ret);
	return 0;
}

static int finish(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int n, code = 0;
	socklen_t len = sizeof(code);

	do {
		n = poll(&p, 1, timeout_ms);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n == 0 ? -ETIMEDOUT : -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0)
		return -errno;
	return -code;
}

static int connect_address(const struct address *a, int timeout_ms, int *ret_fd)
{
	fp_autoclose int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = 0, on = 1;

	if (fd < 0 || fp_above_stdio(&fd) < 0)
		return -errno;
	if (a->any.sa_family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* records are written whole; Nagle would only delay the last */
	if (connect(fd, &a->any, a->len) < 0)
		r = errno == EINPROGRESS ? finish(fd, timeout_ms) : -errno;
	if (r < 0)
		return r;
	*ret_fd = FP_TAKE_FD(fd);
	return 0;
}

int lease_connect(const struct fcgipm_lease *lease, int timeout_ms, int *ret_fd, struct fp_err *err)
{
	struct address a;
	int r = to_address(lease, &a);

	if (r < 0)
		return fp_fail(err, -r, "pool %s: %s is no address: %m", lease->pool, lease->address);
	r = connect_address(&a, timeout_ms, ret_fd);
	if (r == -EAGAIN)
		return fp_fail(err, EAGAIN, "pool %s: its queue is full", lease->pool);
	if (r < 0)
		return fp_fail(err, -r, "pool %s: cannot connect to %s: %m", lease->pool, lease->address);
	return 0;
}
