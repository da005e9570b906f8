/* Listening sockets (launcher process, and its children before exec).  See unix(7), tcp(7), ipv6(7). */
#include "fcgipm/priv/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/priv/files.h"

/* ---- TCP ---- */

union tcp_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int parse_port(const char *text, in_port_t *ret)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || v == 0 || v > 65535)
		return -EINVAL;
	*ret = htons((uint16_t)v);
	return 0;
}

/* 127.0.0.1:9000 or [::1]:9000; numeric only: root asks no resolver. */
static int parse_tcp(const char *text, union tcp_address *a, socklen_t *ret_len)
{
	char host[64];
	const char *colon = strrchr(text, ':');
	bool six = text[0] == '[';
	size_t len;

	*a = (union tcp_address){};
	if (colon == NULL || (six && (colon == text || colon[-1] != ']')))
		return -EINVAL;
	len = (size_t)(colon - text) - (six ? 2 : 0);
	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text + (six ? 1 : 0), len);
	host[len] = '\0';
	a->any.sa_family = six ? AF_INET6 : AF_INET;
	*ret_len = six ? sizeof(a->v6) : sizeof(a->v4);
	if (inet_pton(a->any.sa_family, host, six ? (void *)&a->v6.sin6_addr : (void *)&a->v4.sin_addr) != 1)
		return -EINVAL;
	return parse_port(colon + 1, six ? &a->v6.sin6_port : &a->v4.sin_port);
}

static int bind_tcp(const struct priv_listen *l, int *ret_fd, struct fp_err *err)
{
	union tcp_address a;
	socklen_t len;
	const int on = 1;
	fp_autoclose int fd = -1;

	if (parse_tcp(l->address, &a, &len) < 0)
		return fp_fail(err, EINVAL, "%s is no numeric address and port (127.0.0.1:9000, [::1]:9000)", l->address);
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fp_fail(err, errno, "cannot make a socket for %s: %m", l->address);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a.any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, &a.any, len) < 0 || listen(fd, (int)l->backlog) < 0)
		return errno == EADDRINUSE ? fp_fail(err, EADDRINUSE, "somebody else listens on %s", l->address)
					   : fp_fail(err, errno, "cannot listen on %s: %m", l->address);
	*ret_fd = FP_TAKE_FD(fd);
	return 0;
}

/* ---- unix sockets; the functions of this part that take no err are async-signal-safe ---- */

static int fill_address(const char *path, struct sockaddr_un *a)
{
	size_t len = strlen(path);

	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (len >= sizeof(a->sun_path))
		return -ENAMETOOLONG;
	memcpy(a->sun_path, path, len);
	return 0;
}

/* "/proc/self/fd/N" without stdio. */
static void door_path(int door, char *buf)
{
	static const char prefix[] = "/proc/self/fd/";
	char digits[12];
	size_t n = 0, at = sizeof(prefix) - 1;

	memcpy(buf, prefix, at);
	do
		digits[n++] = (char)('0' + door % 10);
	while ((door /= 10) > 0);
	while (n > 0)
		buf[at++] = digits[--n];
	buf[at] = '\0';
}

/* Whether anybody listens behind the inode.  A full queue is somebody; so is one that speaks another type. */
static bool is_live(int door)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	fp_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	door_path(door, a.sun_path);
	return fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 || errno != ECONNREFUSED;
}

/* Makes room: nothing there is well; a socket that nobody listens on is removed; a live one is -EADDRINUSE, anything else -EEXIST. */
static int clear_stale(const char *path)
{
	fp_autoclose int door = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (door < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(door, &st) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	if (is_live(door))
		return -EADDRINUSE;
	return unlink(path) < 0 ? -errno : 0;
}

/* The mode is right from birth (umask), so that no moment is open to others. */
static int bind_name(const struct priv_listen *l, int sock)
{
	struct sockaddr_un a;
	int r = fill_address(l->address, &a);
	mode_t mask;

	if (r == 0)
		r = clear_stale(l->address);
	if (r < 0)
		return r;
	mask = umask(~(mode_t)l->mode & 0777);
	r = bind(sock, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
	umask(mask);
	return r;
}

int priv_listen_as_account(const struct priv_listen *l, int sock)
{
	int r = bind_name(l, sock);

	if (r < 0)
		return r;
	return listen(sock, (int)l->backlog) < 0 ? -errno : 0;
}

/* Opens the inode that we just bound: a door, and what it is known by when it is removed. */
static int open_door(const struct priv_listen *l, int *ret_door, struct priv_bound *ret_bound, struct stat *st, struct fp_err *err)
{
	fp_autoclose int door = open(l->address, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (door < 0 || fstat(door, st) < 0)
		return fp_fail(err, errno, "cannot open %s: %m", l->address);
	if (!S_ISSOCK(st->st_mode))
		return fp_fail(err, EEXIST, "%s is no socket", l->address);
	*ret_bound = (struct priv_bound){.dev = st->st_dev, .ino = st->st_ino};
	*ret_door = FP_TAKE_FD(door);
	return 0;
}

/* Owner and group, by the door, so that it is this inode and no other.  An ordinary user may give it to his own groups only. */
static int give(const struct priv_listen *l, int door, const struct stat *st, struct fp_err *err)
{
	if (st->st_uid == l->uid && st->st_gid == l->gid)
		return 0;
	if (fchownat(door, "", st->st_uid == l->uid ? (uid_t)-1 : l->uid, l->gid, AT_EMPTY_PATH) == 0)
		return 0;
	return fp_fail(err, errno, "cannot give %s to uid %u, gid %u: %m", l->address, l->uid, l->gid);
}

static int say_bind_error(const struct priv_listen *l, int r, struct fp_err *err)
{
	if (r == -EADDRINUSE)
		return fp_fail(err, EADDRINUSE, "somebody else listens on %s", l->address);
	if (r == -EEXIST)
		return fp_fail(err, EEXIST, "%s is in the way and is no socket; it is left as it is", l->address);
	return fp_fail(err, -r, "cannot bind %s: %m", l->address);
}

static int bind_unix(const struct priv_listen *l, int *ret_fd, int *ret_door, struct priv_bound *ret_bound, struct fp_err *err)
{
	fp_autoclose int fd = -1, door = -1;
	struct priv_bound bound;
	struct stat st;
	int r;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fp_fail(err, errno, "cannot make a socket for %s: %m", l->address);
	r = bind_name(l, fd);
	if (r < 0)
		return say_bind_error(l, r, err);
	r = open_door(l, &door, &bound, &st, err);
	if (r == 0)
		r = give(l, door, &st, err);
	if (r == 0 && listen(fd, (int)l->backlog) < 0)
		r = fp_fail(err, errno, "cannot listen on %s: %m", l->address);
	if (r < 0) {
		unlink(l->address);
		return r;
	}
	*ret_fd = FP_TAKE_FD(fd);
	*ret_door = FP_TAKE_FD(door);
	*ret_bound = bound;
	return 0;
}

/* Who works on the name: -EXDEV when it is the account's to do. */
static int whose_work(const struct priv_listen *l, struct fp_err *err)
{
	enum priv_way way;
	fp_autoclose int dir = -1;
	const char *base;
	int r = priv_walk(l->address, l->account_uid, &way, &dir, &base, err);

	if (r < 0)
		return r;
	return way == PRIV_WAY_ACCOUNT && geteuid() != l->account_uid ? -EXDEV : 0;
}

int priv_listen_bind(const struct priv_listen *l, int *ret_fd, int *ret_door, struct priv_bound *ret_bound, struct fp_err *err)
{
	int r;

	if (l->tcp)
		return bind_tcp(l, ret_fd, err);
	r = whose_work(l, err);
	return r < 0 ? r : bind_unix(l, ret_fd, ret_door, ret_bound, err);
}

int priv_listen_adopt(const struct priv_listen *l, int sock, int *ret_door, struct priv_bound *ret_bound, struct fp_err *err)
{
	fp_autoclose int door = -1;
	struct priv_bound bound;
	struct stat st;
	int on = 0, r;
	socklen_t len = sizeof(on);

	if (getsockopt(sock, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) < 0 || on == 0)
		return fp_fail(err, EINVAL, "%s was not bound", l->address);
	r = open_door(l, &door, &bound, &st, err);
	if (r < 0)
		return r;
	if (st.st_uid != l->account_uid)
		return fp_fail(err, EPERM, "%s is not what the account bound", l->address);
	/* The account could not have given it away itself; it stays the account's, the group is the frontend's. */
	if (st.st_gid != l->gid && fchownat(door, "", (uid_t)-1, l->gid, AT_EMPTY_PATH) < 0)
		return fp_fail(err, errno, "cannot give %s to gid %u: %m", l->address, l->gid);
	*ret_bound = bound;
	*ret_door = FP_TAKE_FD(door);
	return 0;
}

int priv_listen_unlink(const struct priv_listen *l, const struct priv_bound *b, struct fp_err *err)
{
	fp_autoclose int door = -1;
	struct stat st;
	int r = geteuid() == l->account_uid ? 0 : whose_work(l, err);

	if (r < 0)
		return r;
	door = open(l->address, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (door < 0 || fstat(door, &st) < 0)
		return errno == ENOENT ? -ENOENT : fp_fail(err, errno, "cannot open %s: %m", l->address);
	if (st.st_dev != b->dev || st.st_ino != b->ino)
		return fp_fail(err, ESTALE, "%s is another socket by now; it is left", l->address);
	return unlink(l->address) < 0 ? fp_fail(err, errno, "cannot remove %s: %m", l->address) : 0;
}

/* Mode before owner: once it is somebody else's, only CAP_FOWNER, which we gave up, could change its mode. A socket that was given away
 * is taken back first. */
int priv_listen_adjust(const struct priv_listen *l, int sock, int door, struct fp_err *err)
{
	char path[32];
	struct stat st;

	if (listen(sock, (int)l->backlog) < 0)
		return fp_fail(err, errno, "cannot set the backlog of %s: %m", l->address);
	if (door < 0)
		return 0;
	if (fstat(door, &st) < 0)
		return fp_fail(err, errno, "%s: %m", l->address);
	door_path(door, path);
	if ((st.st_mode & 07777) != l->mode) {
		if (st.st_uid != geteuid() && fchownat(door, "", geteuid(), (gid_t)-1, AT_EMPTY_PATH) < 0)
			return fp_fail(err, errno, "cannot take %s back: %m", l->address);
		if (chmod(path, l->mode) < 0)
			return fp_fail(err, errno, "cannot set the mode of %s: %m", l->address);
		if (fstat(door, &st) < 0)
			return fp_fail(err, errno, "%s: %m", l->address);
	}
	return give(l, door, &st, err);
}

bool priv_listen_is_shut(int sock)
{
	struct pollfd p = {.fd = sock, .events = POLLRDHUP};

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLRDHUP)) != 0;
}
