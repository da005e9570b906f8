/* One FastCGI request on a connected socket (command line).  It reads while it writes: an application may answer before it has read the body, and
 * may close without ever reading it. */
#include "fcgipm/cli/request_io.h"

#include <errno.h>
#include <fastcgi.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/cli/request_records.h"

struct exchange {
	int socket;
	const struct request *q;
	bool sending;
	struct records_out out;
	struct records_in in;
};

static void on_content(void *ctx, uint8_t type, const char *bytes, size_t len)
{
	const struct request *q = ctx;

	if (type == FCGI_STDOUT)
		request_answer_feed(q->answer, bytes, len);
	else
		fwrite(bytes, 1, len, q->err);
}

/* Sends as much as goes.  Who does not listen any more may still have answered. */
static int send_some(struct exchange *x, struct fp_err *err)
{
	int r;

	while ((r = records_out_next(&x->out)) == 1) {
		ssize_t n = send(x->socket, x->out.bytes + x->out.sent, x->out.len - x->out.sent, MSG_NOSIGNAL);

		if (n >= 0)
			x->out.sent += (size_t)n;
		else if (errno == EAGAIN)
			return 0;
		else if (errno == EPIPE || errno == ECONNRESET)
			break;
		else if (errno != EINTR)
			return fp_fail(err, errno, "cannot send the request: %m");
	}
	x->sending = false;
	return r < 0 ? fp_fail(err, -r, "cannot read what is to be sent: %m") : 0;
}

static int read_some(struct exchange *x, struct fp_err *err)
{
	static uint8_t bytes[65536];
	const struct records_sink sink = {.content = on_content, .ctx = (void *)(uintptr_t)x->q};
	ssize_t n = read(x->socket, bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0 && errno != ECONNRESET)
		return fp_fail(err, errno, "cannot read the answer: %m");
	if (n <= 0)
		return fp_fail(err, ECONNRESET, "the connection ended before the answer did");
	if (records_in_feed(&x->in, bytes, (size_t)n, &sink) < 0)
		return fp_fail(err, EPROTO, "what the application sends is not FastCGI");
	fflush(x->q->answer->out);
	fflush(x->q->err);
	return 0;
}

static int wait_for(const struct exchange *x, short *ret_events, struct fp_err *err)
{
	struct pollfd p = {.fd = x->socket, .events = (short)(POLLIN | (x->sending ? POLLOUT : 0))};
	int64_t left = x->q->deadline_ms - fp_now_ms();
	int n;

	if (left <= 0)
		return fp_fail(err, ETIMEDOUT, "no complete answer in time");
	n = poll(&p, 1, left > INT_MAX ? -1 : (int)left);
	if (n < 0 && errno != EINTR)
		return fp_fail(err, errno, "poll: %m");
	*ret_events = n > 0 ? p.revents : 0;
	return 0;
}

static int step(struct exchange *x, struct fp_err *err)
{
	short events = 0;
	int r = wait_for(x, &events, err);

	if (r == 0 && (events & POLLOUT) != 0)
		r = send_some(x, err);
	if (r == 0 && (events & (POLLIN | POLLHUP | POLLERR)) != 0)
		r = read_some(x, err);
	return r;
}

int request_run(int socket, const struct request *q, struct request_end *ret, struct fp_err *err)
{
	struct exchange x = {.socket = socket, .q = q, .sending = true};
	int r = records_out_init(&x.out, q->role, q->params, &q->body, &q->data);

	if (r < 0)
		return fp_fail(err, -r, "the parameters: %m");
	while (r == 0 && !x.in.ended)
		r = step(&x, err);
	records_out_fini(&x.out);
	if (r == 0)
		*ret = (struct request_end){.app_status = x.in.app_status, .protocol_status = x.in.protocol_status};
	return r;
}
