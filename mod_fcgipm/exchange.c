/* Bytes between a socket and the codec (runs in httpd). */
#include "mod_fcgipm/exchange.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int exchange_begin(struct exchange *x, int fd, bool is_unix, const struct fcgi_request *request)
{
	*x = (struct exchange){.fd = fd, .is_unix = is_unix, .begun = !is_unix};
	return fcgi_client_begin(&x->codec, request);
}

void exchange_end(struct exchange *x)
{
	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
}

/* Bytes that lie in the reader's queue, counted with what the kernel needs to keep them: never fewer than there are. */
static uint64_t unread_of(const struct exchange *x)
{
	int n = 0;

	return ioctl(x->fd, SIOCOUTQ, &n) < 0 || n < 0 ? 0 : (uint64_t)n;
}

/* What somebody reads makes the queue shorter than it was, or than all that was ever written. */
static void look_whether_begun(struct exchange *x)
{
	uint64_t unread;

	if (x->begun || x->written == 0)
		return;
	unread = unread_of(x);
	x->begun = unread < x->unread || unread < x->written;
	x->unread = unread;
}

/* How many of the bytes went out; all of them when nobody hears any more. */
static size_t put(struct exchange *x, const uint8_t *at, size_t len)
{
	size_t done = 0;

	look_whether_begun(x); /* before more goes out, which would hide it */
	while (done < len && !x->deaf) {
		ssize_t n = send(x->fd, at + done, len - done, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0)
			done += (size_t)n;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			break;
		else if (errno != EINTR)
			x->deaf = true;
	}
	/* What went out in one piece is read in one piece: that the queue is shorter than it will be seen whenever somebody looks. */
	if (x->written > 0)
		look_whether_begun(x);
	x->written += done;
	return x->deaf ? len : done;
}

static size_t send_left(struct exchange *x)
{
	size_t n = put(x, x->left, x->left_len);

	x->left += n;
	x->left_len -= n;
	return x->left_len;
}

/* Fills buf, so that a request without a body is one write, and one wake-up of the application. */
static size_t fill(struct exchange *x, uint8_t *buf, size_t cap, const struct exchange_source *from)
{
	size_t used = 0, n;

	do {
		n = fcgi_client_pull(&x->codec, buf + used, cap - used);
		used += n;
	} while (used < cap && from != NULL && fcgi_client_wants(&x->codec) != 0 && from->feed(from->ctx));
	return used;
}

static size_t send_new(struct exchange *x, uint8_t *buf, size_t cap, const struct exchange_source *from)
{
	size_t n, out;

	do {
		n = fill(x, buf, cap, from);
		out = put(x, buf, n);
	} while (n == cap && out == n);
	x->left = buf + out;
	x->left_len = n - out;
	return x->left_len;
}

size_t exchange_send(struct exchange *x, uint8_t *buf, size_t cap, const struct exchange_source *from)
{
	if (x->left_len == 0 || send_left(x) == 0)
		send_new(x, buf, cap, from);
	return x->left_len;
}

void exchange_keep(struct exchange *x, const uint8_t *copy, size_t len)
{
	x->left = copy;
	x->left_len = len;
}

long exchange_receive(struct exchange *x, uint8_t *buf, size_t cap)
{
	ssize_t n;

	do
		n = recv(x->fd, buf, cap, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		x->answered = x->begun = true;
	return n < 0 ? -errno : n;
}

bool exchange_is_unread(struct exchange *x)
{
	look_whether_begun(x);
	return !x->begun;
}
