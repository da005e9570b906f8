/* What the application calls.  Each of these is the plain system call, and a word to the scoreboard where it touches the listener or a connection. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>

#include "fcgipm/prefork/prefork.h"
#include "fcgipm/prefork/sys.h"

/* The connection that this thread serves, and where its stream of FastCGI records stands: a request that has been read to its end is followed by waiting. */
static __thread struct {
	bool open;
	int fd;
	uint32_t skip;
	uint8_t header[8], have;
	bool ended;
} served __attribute__((tls_model("initial-exec")));

static int other_listener = -1; /* a number under which the application has the listener too */

static long done(long r)
{
	if (r >= 0)
		return r;
	errno = (int)-r;
	return -1;
}

static bool is_listener(int fd)
{
	if (!prefork.on || (fd == 0 && !prefork.booting) || fd == other_listener)
		return prefork.on;
	if (cookie_of(fd) != prefork.listener)
		return false;
	if (fd != 0)
		other_listener = fd;
	return true;
}

/* A child that the application forks is none of ours (fork(), runtime.c).  True: it is to go, and the call ends as if by a signal. */
static bool waits(void)
{
	served.open = false;
	if (!prefork.booting && board_leaves())
		return true;
	hook_wait();
	return false;
}

/* ---- accept ---- */

/* The peer has closed, not only shut down its sending side: over a unix socket POLLHUP says so, over TCP only a reset does. */
static bool has_gone(int fd)
{
	struct pollfd p = {.fd = fd, .events = 0};

	return SYS(ppoll, &p, 1, (&(struct timespec){0}), NULL, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

static long accept_one(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	socklen_t room = len != NULL ? *len : 0;
	long c;

	for (;;) {
		c = SYS(accept4, fd, address, len, flags);
		if (c < 0 || !has_gone((int)c))
			return c;
		SYS(close, c);
		board_abandoned();
		if (len != NULL)
			*len = room;
	}
}

static int accept_hooked(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	long c;

	if (!is_listener(fd))
		return (int)done(SYS(accept4, fd, address, len, flags));
	if (waits())
		return (int)done(-EINTR);
	c = accept_one(fd, address, len, flags);
	if (c >= 0) {
		served.fd = (int)c;
		served.skip = served.have = 0;
		served.ended = false;
		served.open = true;
		board_step(STEP_ACCEPTED);
	}
	return (int)done(c);
}

EXPORT int accept(int fd, struct sockaddr *address, socklen_t *len)
{
	return accept_hooked(fd, address, len, 0);
}

EXPORT int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	return accept_hooked(fd, address, len, flags);
}

/* ---- waiting for the listener by other means ---- */

static bool polls(const struct pollfd *fds, nfds_t count)
{
	for (nfds_t i = 0; prefork.on && i < count; i++)
		if (fds[i].fd >= 0 && (fds[i].events & POLLIN) != 0 && is_listener(fds[i].fd))
			return true;
	return false;
}

static bool selects(int count, const fd_set *set)
{
	for (int i = 0; prefork.on && set != NULL && i < count; i++)
		if (FD_ISSET(i, set) && is_listener(i))
			return true;
	return false;
}

EXPORT int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *limit, const sigset_t *mask)
{
	struct timespec left = limit != NULL ? *limit : (struct timespec){0}; /* the kernel writes what is left */

	if (polls(fds, count) && waits())
		return (int)done(-EINTR);
	return (int)done(SYS(ppoll, fds, count, limit != NULL ? &left : NULL, mask, _NSIG / 8));
}

EXPORT int poll(struct pollfd *fds, nfds_t count, int ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	if (polls(fds, count) && waits())
		return (int)done(-EINTR);
	return (int)done(SYS(ppoll, fds, count, ms >= 0 ? &t : NULL, NULL, 0));
}

/* NOLINTNEXTLINE(readability-function-size): POSIX gives it six parameters. */
EXPORT int pselect(int count, fd_set *in, fd_set *out, fd_set *except, const struct timespec *limit, const sigset_t *mask)
{
	struct timespec left = limit != NULL ? *limit : (struct timespec){0};
	const struct {
		const sigset_t *set;
		size_t size;
	} masked = {mask, _NSIG / 8};

	if (selects(count, in) && waits())
		return (int)done(-EINTR);
	return (int)done(SYS(pselect6, count, in, out, except, limit != NULL ? &left : NULL, &masked));
}

EXPORT int select(int count, fd_set *in, fd_set *out, fd_set *except, struct timeval *limit)
{
	struct timespec left = {0};
	long r;

	if (selects(count, in) && waits())
		return (int)done(-EINTR);
	if (limit != NULL) {
		if (limit->tv_sec < 0 || limit->tv_usec < 0)
			return (int)done(-EINVAL);
		left = (struct timespec){.tv_sec = limit->tv_sec + limit->tv_usec / 1000000, .tv_nsec = limit->tv_usec % 1000000 * 1000};
	}
	r = SYS(pselect6, count, in, out, except, limit != NULL ? &left : NULL, NULL);
	if (limit != NULL)
		*limit = (struct timeval){.tv_sec = left.tv_sec, .tv_usec = left.tv_nsec / 1000}; /* as Linux does */
	return (int)done(r);
}

/* ---- a connection that is kept: after the last record of a request's input the application reads on only for the next request ---- */

enum { BEGIN_REQUEST = 1, STDIN = 5 };

static void take_header(const uint8_t h[8])
{
	uint32_t content = (uint32_t)h[4] << 8 | h[5];

	served.skip = content + h[6];
	if (h[1] == BEGIN_REQUEST)
		served.ended = false;
	else if (h[1] == STDIN && content == 0)
		served.ended = true;
}

static void take_bytes(const uint8_t *at, size_t len)
{
	while (len > 0) {
		size_t n = served.skip < len ? served.skip : len;

		served.skip -= (uint32_t)n;
		at += n;
		len -= n;
		if (len == 0)
			return;
		served.header[served.have++] = *at++;
		len--;
		if (served.have == sizeof(served.header)) {
			served.have = 0;
			take_header(served.header);
		}
	}
}

static void before_read(void)
{
	if (served.ended && served.have == 0 && served.skip == 0)
		board_step(STEP_KEEPS);
}

static ssize_t after_read(long n, const void *bytes)
{
	if (n > 0) {
		board_step(STEP_GOES_ON);
		take_bytes(bytes, (size_t)n);
	}
	return (ssize_t)done(n);
}

static bool serves(int fd)
{
	return served.open && served.fd == fd;
}

EXPORT ssize_t read(int fd, void *bytes, size_t len)
{
	if (!serves(fd))
		return (ssize_t)done(SYS(read, fd, bytes, len));
	before_read();
	return after_read(SYS(read, fd, bytes, len), bytes);
}

EXPORT ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
	if (!serves(fd) || (flags & MSG_PEEK) != 0)
		return (ssize_t)done(SYS(recvfrom, fd, bytes, len, flags, NULL, NULL));
	before_read();
	return after_read(SYS(recvfrom, fd, bytes, len, flags, NULL, NULL), bytes);
}

EXPORT int close(int fd)
{
	if (fd == other_listener)
		other_listener = -1;
	if (served.open && served.fd == fd)
		served.open = false; /* busy until it waits again: what it does for the request behind the answer counts too */
	return (int)done(SYS(close, fd));
}

/* ---- exec: a program that replaces itself before its first accept (env, sh -c 'exec ...') takes us along ---- */

extern char **environ __attribute__((weak));
extern int execvpe(const char *file, char *const argv[], char *const envp[]) __attribute__((weak));

static int run_path(const char *path, char *const argv[], char *const envp[])
{
	return (int)done(SYS(execve, path, argv, envp));
}

static int run(const char *path, char *const argv[], char *const envp[], int (*how)(const char *, char *const *, char *const *))
{
	return prefork.booting && (int)SYS(getpid) == prefork.pid ? (int)start_exec_self(path, argv, envp, how) : how(path, argv, envp);
}

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	return run(path, argv, envp, run_path);
}

EXPORT int execv(const char *path, char *const argv[])
{
	return run(path, argv, environ, run_path);
}

EXPORT int execvp(const char *file, char *const argv[])
{
	return run(file, argv, environ, execvpe);
}
