/* What the application calls.  Each of these is the plain system call, and a word to the scoreboard where it touches the listener or a connection. */
#include <sys/epoll.h>
#include <sys/select.h>

#include "fcgipm/prefork/prefork.h"

/* The connection that this thread serves, and where its stream of FastCGI records stands. */
static __thread struct {
	bool open, ended, known; /* ended: the whole input of a request has been read; known: this thread is among the acceptors */
	int fd, forks; /* forks: the application's, before it accepted */
	uint32_t skip;
	uint8_t header[8], have;
} served __attribute__((tls_model("initial-exec")));

/* A request's whole input has been read, and nothing of the next. */
#define BETWEEN(connection) (served.open && served.fd == (connection) && served.ended && served.have == 0 && served.skip == 0)

/* A number under which the application has the listener too (0 says nothing new). */
static int other_listener = -1;

static HOT bool is_listener(int fd, bool accepts)
{
	if (!prefork.on || (fd == 0 && !prefork.booting) || (fd > 0 && fd == other_listener))
		return prefork.on;
	if ((!prefork.booting && !accepts) || cookie_of(fd) != prefork.listener)
		return false;
	other_listener = fd;
	return true;
}

/* True: the worker is to go, and the call ends as if by a signal.  Who only asks (a limit of 0) has something else to do before it waits. */
static HOT bool waits(bool accepts, const struct timespec *limit)
{
	bool beside = served.open && cookie_of(served.fd) != 0; /* it would take another connection beside the one that it serves */

	/* Where several threads accept, one may take a connection while another is told to go.  It is counted before it looks whether the worker goes, and
	 * board_leaves() goes only from a state that board_blind() has not changed: one of the two sees the other. */
	served.known = served.known || __atomic_add_fetch(&prefork.acceptors, 1, __ATOMIC_SEQ_CST) > 0;
	served.open = false;
	if (prefork.acceptors != 1 || beside)
		board_blind();
	hook_boots(HOOK_REASON_NONE);
	if (board_leaves(accepts)) /* at once, too: what a language does after a fork may have forgotten a signal */
		return true;
	if (limit == NULL || limit->tv_sec != 0 || limit->tv_nsec != 0)
		board_step(STEP_WAITS);
	return false;
}

/* ---- accept ---- */

/* What there is to read, or has gone wrong, after at most ms; 0 nothing. */
static short look(int fd, uint32_t ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return call(SYS_ppoll, (long)&p, 1, (long)&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, 0) < 0 ? POLLNVAL : p.revents;
}

EXPORT HOT int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	bool ours = is_listener(fd, true);
	socklen_t room = len != NULL ? *len : 0;
	int c;

	if (ours && waits(true, NULL))
		return -1;
	/* The peer may have closed, not only shut down its sending side: over a unix socket POLLHUP says so, over TCP only a reset does. */
	while ((c = (int)call(SYS_accept4, fd, (long)address, (long)len, flags)) >= 0 && ours && (look(c, 0) & (POLLHUP | POLLERR)) != 0) {
		syscall(SYS_close, c);
		prefork.slot->abandoned++;
		if (len != NULL)
			*len = room;
	}
	if (c >= 0 && ours) {
		served = (typeof(served)){.open = true, .known = true, .fd = c, .forks = prefork.forks};
		board_step(STEP_ACCEPTED);
	}
	return c;
}

EXPORT HOT int accept(int fd, struct sockaddr *address, socklen_t *len)
{
	return accept4(fd, address, len, 0);
}

/* ---- waiting for the listener by other means ---- */

static bool polls(const struct pollfd *fds, nfds_t count)
{
	for (nfds_t i = 0; prefork.on && i < count; i++) {
		if (count == 1 && BETWEEN(fds[i].fd)) /* it waits so for what it will read */
			board_step(STEP_KEEPS);
		if (fds[i].fd >= 0 && (fds[i].events & POLLIN) != 0 && is_listener(fds[i].fd, false))
			return true;
	}
	return false;
}

EXPORT int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *limit, const sigset_t *mask)
{
	struct timespec left = limit != NULL ? *limit : (struct timespec){0}; /* the kernel writes what is left */

	if (polls(fds, count) && waits(false, limit))
		return -1;
	return (int)syscall(SYS_ppoll, fds, count, limit != NULL ? &left : NULL, mask, _NSIG / 8);
}

EXPORT int poll(struct pollfd *fds, nfds_t count, int ms)
{
	return ppoll(fds, count, ms >= 0 ? &(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L} : NULL, NULL);
}

EXPORT int select(int count, fd_set *in, fd_set *out, fd_set *except, struct timeval *limit)
{
	struct timeval at_most = limit != NULL ? *limit : (struct timeval){0};
	struct timespec left = {.tv_sec = at_most.tv_sec + at_most.tv_usec / 1000000, .tv_nsec = at_most.tv_usec % 1000000 * 1000};

	bool ours = false;

	for (int i = 0; prefork.on && in != NULL && i < count && !ours; i++)
		ours = FD_ISSET(i, in) && is_listener(i, false);
	if (ours && waits(false, limit != NULL ? &left : NULL))
		return -1;
	int r = (int)syscall(SYS_pselect6, count, in, out, except, limit != NULL ? &left : NULL, NULL);
	if (limit != NULL)
		*limit = (struct timeval){.tv_sec = left.tv_sec, .tv_usec = left.tv_nsec / 1000}; /* as Linux does */
	return r;
}

EXPORT int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	/* Its set would be shared by all that are forked, and it may serve several at once. */
	if (operation == EPOLL_CTL_ADD && prefork.booting && is_listener(fd, false) && hook_boots(HOOK_REASON_EVENTS))
		board_blind();
	return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

/* ---- a connection that is kept: after the last record of a request's input the application reads on only for the next request ---- */

enum { BEGIN_REQUEST = 1, STDIN = 5 };

static void follow(const uint8_t *at, size_t len)
{
	const uint8_t *h = served.header;

	for (size_t n; len > 0; at += n, len -= n) {
		n = served.skip > 0 ? served.skip : sizeof(served.header) - served.have;
		n = n < len ? n : len;
		size_t skipped = served.skip > 0 ? n : 0;
		memcpy(served.header + served.have, at, n - skipped);
		served.have += (uint8_t)(n - skipped);
		served.skip -= (uint32_t)skipped;
		if (served.have < sizeof(served.header))
			continue;
		served.have = 0;
		served.skip = ((uint32_t)h[4] << 8 | h[5]) + h[6];
		served.ended = h[1] == STDIN ? (h[4] | h[5]) == 0 : served.ended && h[1] != BEGIN_REQUEST;
	}
}

/* False: the client has sent nothing for request.keep_timeout, others queue and nobody is idle.  A signal ends the wait, as it may end read(2).  A read that is not to
 * wait, or not for ever, is the application's own affair. */
static bool rests(int fd, int flags)
{
	struct timeval limit = {0};

	board_step(STEP_KEEPS);
	while (prefork.board->head.keep_ms != 0 && (flags & MSG_DONTWAIT) == 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, &(socklen_t){sizeof(limit)}) == 0 && limit.tv_sec == 0 && limit.tv_usec == 0 &&
	       look(fd, prefork.board->head.keep_ms) == 0)
		if (prefork.board->head.idle <= 0 && look(0, 0) == POLLIN)
			return false;
	return true;
}

static HOT ssize_t take(long number, int fd, void *bytes, size_t len, int flags)
{
	bool ours = prefork.on && served.open && served.fd == fd && (flags & (MSG_PEEK | MSG_TRUNC)) == 0;
	bool between = ours && BETWEEN(fd);

	if (between && !rests(fd, flags))
		return 0;
	ssize_t n = call(number, fd, (long)bytes, (long)len, flags);
	if (between && n > 0)
		board_step(STEP_GOES_ON);
	if (ours && n > 0)
		follow(bytes, (size_t)n);
	return n;
}

EXPORT HOT ssize_t read(int fd, void *bytes, size_t len)
{
	return take(SYS_read, fd, bytes, len, 0);
}

EXPORT HOT ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
	return take(SYS_recvfrom, fd, bytes, len, flags);
}

/* It is busy until it waits again: what it does for the request behind the answer counts too. */
EXPORT HOT int close(int fd)
{
	other_listener = fd == other_listener ? -1 : other_listener;
	if (prefork.on && fd == served.fd && served.open && served.forks != prefork.forks && served.header[0] == 0)
		board_blind(); /* it has read nothing of it: a child that it has made serves it */
	served.open = served.open && fd != served.fd;
	return (int)call(SYS_close, fd, 0, 0, 0);
}
