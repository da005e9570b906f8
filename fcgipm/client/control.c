/* A connection to the manager (runs in a frontend or in the command line).  It believes nothing that it reads: lengths,
 * descriptors and sequence numbers are checked, and what was not asked for is closed. */
#include "fcgipm/client/control.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"

enum { CLIENT_CONNECT_S = 5 };

struct fcgipm_client {
	int fd;
	uint32_t seq;
	bool changed; /* the manager has said so, and nobody has asked yet */
	struct wire_wr writer;
	struct wire_dgram sent, got;
};

int client_connect(const char *path, int *ret_fd, struct fp_err *err)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	const struct timeval patience = {.tv_sec = CLIENT_CONNECT_S};
	fp_autoclose int fd = -1;

	if (len == 0 || len >= sizeof(sun.sun_path))
		return fp_fail(err, ENAMETOOLONG, "control socket %s: the path has more than %zu bytes", path, sizeof(sun.sun_path) - 1);
	memcpy(sun.sun_path, path, len);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || fp_above_stdio(&fd) < 0) /* it is who we are to the exec broker */
		return fp_fail(err, errno, "cannot make a socket: %m");
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)); /* its queue may be full, and nobody there to take from it */
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0)
		return fp_fail(err, errno == EAGAIN ? ETIMEDOUT : errno, errno == EAGAIN ? "the manager at %s does not answer: %m" : "no manager at %s: %m",
			       path);
	*ret_fd = FP_TAKE_FD(fd);
	return 0;
}

int client_open(const char *path, struct fcgipm_client **ret, struct fp_err *err)
{
	fp_autoclose int fd = -1;
	struct fcgipm_client *c;
	int r = client_connect(path, &fd, err);

	if (r < 0)
		return r;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return fp_fail(err, ENOMEM, "%m");
	c->fd = FP_TAKE_FD(fd);
	*ret = c;
	return 0;
}

void client_close(struct fcgipm_client **c)
{
	if (*c == NULL)
		return;
	wire_dgram_close(&(*c)->got);
	fp_close(&(*c)->fd);
	free(*c);
	*c = NULL;
}

struct wire_wr *client_begin(struct fcgipm_client *c, uint16_t type)
{
	if (++c->seq == 0)
		c->seq = 1; /* 0: nobody asked */
	wire_begin(&c->sent, &c->writer, type, c->seq);
	return &c->writer;
}

/* For poll(): -1 is for ever. */
static int left_ms(int64_t deadline_ms)
{
	int64_t left = deadline_ms - fp_now_ms();

	if (deadline_ms == CLIENT_FOREVER)
		return -1;
	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* 0 when something is to be read. */
static int await(int fd, int64_t deadline_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (;;) {
		int n = poll(&p, 1, left_ms(deadline_ms));

		if (n > 0)
			return 0;
		if (n == 0 && fp_now_ms() >= deadline_ms)
			return -ETIMEDOUT;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static int receive(struct fcgipm_client *c, int64_t deadline_ms, struct fp_err *err)
{
	int r;

	do {
		r = await(c->fd, deadline_ms);
		if (r == -ETIMEDOUT)
			return fp_fail(err, ETIMEDOUT, "the manager did not answer in time");
		if (r == 0)
			r = wire_recv(c->fd, &c->got);
	} while (r == -EINTR || r == -EAGAIN);
	if (r == 0 || r == -ECONNRESET || r == -EPIPE)
		return fp_fail(err, ECONNRESET, "the manager went away before it answered");
	if (r < 0)
		return fp_fail(err, -r, "cannot read the manager's answer: %m");
	return 0;
}

static int take_done(struct fcgipm_client *c, struct client_answer *ret)
{
	struct wire_rd r = wire_body(&c->got);
	struct wire_c_done done;

	if (!wire_read_c_done(&r, &done))
		return -EPROTO;
	*ret = (struct client_answer){.code = done.code, .text = done.text, .fd = wire_take_fd(&c->got, 0)};
	return 1;
}

static int take_note(struct fcgipm_client *c, const struct client_wait *wait)
{
	struct wire_rd r = wire_body(&c->got);
	struct wire_c_note note;

	if (!wire_read_c_note(&r, &note))
		return -EPROTO;
	if (wait->note != NULL)
		wait->note(wait->ctx, note.text);
	return 0;
}

/* 1: that was the end of the call; 0: go on. */
static int take(struct fcgipm_client *c, const struct client_wait *wait, struct client_answer *ret)
{
	if (c->got.type == WIRE_C_CHANGED)
		c->changed = true;
	if (c->got.seq != c->seq)
		return 0; /* of a call that was given up */
	if (c->got.type == WIRE_C_DONE)
		return take_done(c, ret);
	if (c->got.type == WIRE_C_NOTE)
		return take_note(c, wait);
	if (c->got.type == WIRE_C_LEASED && wait->leased != NULL)
		return wait->leased(wait->ctx, &c->got);
	return -EPROTO;
}

/* Between two calls nothing comes but CHANGED, and late answers of a call that was given up. */
int client_changed(struct fcgipm_client *c)
{
	bool changed;

	for (;;) {
		struct pollfd p = {.fd = c->fd, .events = POLLIN};
		int r = poll(&p, 1, 0) > 0 ? wire_recv(c->fd, &c->got) : -EAGAIN;

		if (r == 0)
			return -ECONNRESET;
		if (r == -EAGAIN)
			break;
		if (r < 0 && r != -EINTR)
			return r;
		c->changed = c->changed || (r == 1 && c->got.type == WIRE_C_CHANGED);
		if (r == 1)
			wire_dgram_close(&c->got);
	}
	changed = c->changed;
	c->changed = false;
	return changed;
}

int client_fd(const struct fcgipm_client *c)
{
	return c->fd;
}

int client_ask(struct fcgipm_client *c, struct fp_err *err)
{
	int r = wire_end(&c->sent, &c->writer);

	if (r == 0 && c->sent.len > WIRE_CONTROL_REQUEST_MAX)
		r = -EMSGSIZE;
	if (r < 0)
		return fp_fail(err, -r, "the request is too long");
	r = wire_send(c->fd, &c->sent, NULL, 0);
	if (r == -EPIPE || r == -ECONNRESET)
		return fp_fail(err, ECONNRESET, "the manager has closed the connection");
	return r < 0 ? fp_fail(err, -r, "cannot ask the manager: %m") : 0;
}

int client_await(struct fcgipm_client *c, const struct client_wait *wait, struct client_answer *ret, struct fp_err *err)
{
	int r = 0;

	while (r == 0) {
		r = receive(c, wait->deadline_ms, err);
		if (r < 0)
			return r;
		r = take(c, wait, ret);
		wire_dgram_close(&c->got);
	}
	if (r == -EPROTO)
		return fp_fail(err, EPROTO, "the manager's answer is malformed");
	if (r < 0)
		return fp_fail(err, -r, "%m");
	return 0;
}

int client_call(struct fcgipm_client *c, const struct client_wait *wait, struct client_answer *ret, struct fp_err *err)
{
	int r = client_ask(c, err);

	return r < 0 ? r : client_await(c, wait, ret, err);
}
