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
#include <sys/fsuid.h>
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
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (a.any.sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0))
		return fp_fail(err, errno, "cannot make a socket for %s: %m", l->address);
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

static int try_door(int door)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	fp_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	door_path(door, a.sun_path);
	return fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
}

/* Whether anybody listens behind the inode.  A full queue is somebody; so is one that speaks another type.  A socket that was given away may let its owner
 * alone connect, and CAP_DAC_OVERRIDE is not ours: then the owner asks, for the length of one connect, of an inode that we hold, by no path. */
static bool is_live(int door, const struct stat *st)
{
	int r = try_door(door);

	if (r == -EACCES) {
		setfsuid(st->st_uid);
		r = try_door(door);
		setfsuid(geteuid());
	}
	return r != -ECONNREFUSED;
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
	if (is_live(door, &st))
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

/* What was just bound: a door to its inode, and what it is known by when it is removed. */
static int open_door(const char *path, int *ret_door, struct stat *st)
{
	fp_autoclose int door = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (door < 0 || fstat(door, st) < 0)
		return -errno;
	if (!S_ISSOCK(st->st_mode))
		return -EEXIST;
	*ret_door = FP_TAKE_FD(door);
	return 0;
}

static struct priv_bound bound_of(const struct stat *st)
{
	return (struct priv_bound){.dev = st->st_dev, .ino = st->st_ino};
}

int priv_listen_as_account(const struct priv_listen *l, int sock, int *ret_door)
{
	struct stat st;
	int r = bind_name(l, sock);

	if (r < 0)
		return r;
	if (listen(sock, (int)l->backlog) < 0)
		return -errno;
	return open_door(l->address, ret_door, &st);
}

/* By the door, so that it is this inode and no other.  Only its owner may: CAP_FOWNER is not ours. */
static int set_mode(const struct priv_listen *l, int door, const struct stat *st, struct fp_err *err)
{
	char path[32];

	if ((st->st_mode & 07777) == l->mode)
		return 0;
	if (st->st_uid != geteuid() && fchownat(door, "", geteuid(), (gid_t)-1, AT_EMPTY_PATH) < 0)
		return fp_fail(err, errno, "cannot take %s back to set its mode: %m", l->address);
	door_path(door, path);
	return chmod(path, l->mode) < 0 ? fp_fail(err, errno, "cannot set the mode of %s: %m", l->address) : 0;
}

/* Owner and group.  An ordinary user may give it to his own groups only. */
static int give(const struct priv_listen *l, int door, uint32_t uid, struct fp_err *err)
{
	struct stat st;

	if (fstat(door, &st) < 0)
		return fp_fail(err, errno, "%s: %m", l->address);
	if (st.st_uid == uid && st.st_gid == l->gid)
		return 0;
	if (fchownat(door, "", st.st_uid == uid ? (uid_t)-1 : uid, l->gid, AT_EMPTY_PATH) == 0)
		return 0;
	return fp_fail(err, errno, "cannot give %s to uid %u, gid %u: %m", l->address, uid, l->gid);
}

static int say_bind_error(const struct priv_listen *l, int r, struct fp_err *err)
{
	if (r == -EADDRINUSE)
		return fp_fail(err, EADDRINUSE, "somebody else listens on %s", l->address);
	if (r == -EEXIST)
		return fp_fail(err, EEXIST, "%s is in the way and is no socket; it is left as it is", l->address);
	return fp_fail(err, -r, "cannot bind %s: %m", l->address);
}

/* Mode before owner; connections are let in when both are right. */
static int dress(const struct priv_listen *l, int sock, int door, const struct stat *st, struct fp_err *err)
{
	int r = set_mode(l, door, st, err); /* a default ACL of the directory overrides the umask */

	if (r == 0)
		r = give(l, door, l->uid, err);
	if (r == 0 && listen(sock, (int)l->backlog) < 0)
		r = fp_fail(err, errno, "cannot listen on %s: %m", l->address);
	return r;
}

static int unlink_bound(const struct priv_listen *l, const struct priv_bound *b, struct fp_err *err)
{
	struct stat st;

	if (lstat(l->address, &st) < 0)
		return errno == ENOENT ? -ENOENT : fp_fail(err, errno, "cannot look at %s: %m", l->address);
	if (st.st_dev != b->dev || st.st_ino != b->ino)
		return fp_fail(err, ESTALE, "%s is another's by now; it is left", l->address);
	return unlink(l->address) < 0 ? fp_fail(err, errno, "cannot remove %s: %m", l->address) : 0;
}

static int bind_unix(const struct priv_listen *l, int *ret_fd, int *ret_door, struct priv_bound *ret_bound, struct fp_err *err)
{
	fp_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), door = -1;
	struct priv_bound bound;
	struct stat st;
	int r = fd < 0 ? -errno : bind_name(l, fd);

	if (r == 0)
		r = open_door(l->address, &door, &st);
	if (r < 0)
		return say_bind_error(l, r, err);
	bound = bound_of(&st);
	r = dress(l, fd, door, &st, err);
	if (r < 0) {
		unlink_bound(l, &bound, NULL);
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
	struct priv_place at;
	int r = priv_walk(l->address, l->account_uid, &at, err);

	if (r < 0)
		return r;
	fp_close(&at.dir);
	return at.way == PRIV_WAY_ACCOUNT && geteuid() != l->account_uid ? -EXDEV : 0;
}

int priv_listen_bind(const struct priv_listen *l, int *ret_fd, int *ret_door, struct priv_bound *ret_bound, struct fp_err *err)
{
	int r;

	if (l->tcp)
		return bind_tcp(l, ret_fd, err);
	r = whose_work(l, err);
	return r < 0 ? r : bind_unix(l, ret_fd, ret_door, ret_bound, err);
}

int priv_listen_adopt(const struct priv_listen *l, int sock, int door, struct priv_bound *ret_bound, struct fp_err *err)
{
	struct stat st;
	int on = 0, r;
	socklen_t len = sizeof(on);

	if (getsockopt(sock, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) < 0 || on == 0)
		return fp_fail(err, EINVAL, "%s was not bound", l->address);
	if (fstat(door, &st) < 0 || !S_ISSOCK(st.st_mode) || st.st_uid != l->account_uid)
		return fp_fail(err, EPERM, "%s is not what the account bound", l->address);
	r = give(l, door, l->account_uid, err);
	if (r == 0)
		*ret_bound = bound_of(&st);
	return r;
}

int priv_listen_unlink(const struct priv_listen *l, const struct priv_bound *b, struct fp_err *err)
{
	int r = geteuid() == l->account_uid ? 0 : whose_work(l, err);

	return r < 0 ? r : unlink_bound(l, b, err);
}

/* Taken back, mode, given again: once it is somebody else's, only CAP_FOWNER could change its mode. */
int priv_listen_adjust(const struct priv_listen *l, int sock, int door, struct fp_err *err)
{
	uint32_t owner = l->uid;
	struct stat st;
	int r;

	if (listen(sock, (int)l->backlog) < 0)
		return fp_fail(err, errno, "cannot set the backlog of %s: %m", l->address);
	if (l->tcp)
		return 0;
	r = whose_work(l, err);
	if (r == -EXDEV)
		owner = l->account_uid;
	else if (r < 0)
		return r;
	if (fstat(door, &st) < 0)
		return fp_fail(err, errno, "%s: %m", l->address);
	r = set_mode(l, door, &st, err);
	return r < 0 ? r : give(l, door, owner, err);
}

bool priv_listen_is_shut(int sock)
{
	struct pollfd p = {.fd = sock, .events = POLLRDHUP};

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLRDHUP)) != 0;
}
