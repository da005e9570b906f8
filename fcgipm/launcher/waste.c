/* Sockets that are closed elsewhere (launcher process). */
#include "fcgipm/launcher/waste.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/launcher/launcher.h"

enum { WASTE_MESSAGES = 1 << 16 };

/* What the child is told. */
struct work {
	const struct waste *waste;
	int go[2]; /* a pipe: at its end the parent has closed its own */
};

/* False: nothing is left.  Every message has its sender's identity with it, for which there is no room, and the end has not. */
static bool has_message(int fd, int flags)
{
	char byte;
	struct iovec v = {.iov_base = &byte, .iov_len = sizeof(byte)};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	return recvmsg(fd, &m, flags | MSG_DONTWAIT) >= 0 && (m.msg_flags & MSG_CTRUNC) != 0;
}

/* In the child.  What lingers holds it until its time limit; killed, it lingers no more.  Read to its end, a socket brings its peer our last word before the end. */
static int empty(const void *arg, struct priv_report *ret)
{
	const struct work *w = arg;
	char byte;

	(void)ret;
	close(w->go[1]);
	while (read(w->go[0], &byte, 1) > 0)
		;
	for (unsigned i = 0; i < w->waste->count; i++)
		for (int n = 0; n < WASTE_MESSAGES && has_message(w->waste->fds[i], 0); n++)
			;
	return 0;
}

static void work_ended(struct child *c, int status)
{
	(void)status;
	free(c);
}

static const struct child_ops work_ops = {.what = "waste", .keeps_limit = true, .exited = work_ended};

/* Where there is no process to be had they are closed here. */
static void close_elsewhere(void *ctx)
{
	struct launcher *l = ctx;
	struct child *c = calloc(1, sizeof(*c));
	struct work w = {.waste = &l->waste, .go = {-1, -1}};

	loop_disarm(&l->loop, &l->waste.timer);
	if (c == NULL || pipe2(w.go, O_CLOEXEC) < 0 || child_call(l, c, &work_ops, empty, &w) < 0)
		free(c);
	while (l->waste.count > 0)
		close(l->waste.fds[--l->waste.count]);
	fp_close(&w.go[0]);
	fp_close(&w.go[1]);
}

static void pile(struct launcher *l, int fd)
{
	l->waste.fds[l->waste.count++] = fd;
	if (l->waste.count == WASTE_MAX) {
		close_elsewhere(l);
	} else if (l->waste.count == 1) {
		l->waste.timer = (struct loop_timer){.fire = close_elsewhere, .ctx = l};
		loop_arm(&l->loop, &l->waste.timer, fp_now_ms() + WASTE_PAUSE_MS);
	}
}

void waste_socket(struct launcher *l, int *fd)
{
	const int on = 1;

	if (*fd < 0)
		return;
	shutdown(*fd, SHUT_RD);
	(void)setsockopt(*fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	if (has_message(*fd, MSG_PEEK))
		pile(l, FP_TAKE_FD(*fd));
	fp_close(fd);
}
