/* One FastCGI request on a connected socket (command line).  It reads while it writes: an application may answer before
 * it has read the body, and may close without ever reading it. */
#include "fcgipm/cli/request_io.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/fcgi/client.h"

enum { FEED = 65536, PIECE = 32768 };

struct exchange {
	int socket;
	const struct request *q;
	bool sending, ended;
	struct request_end end;
	struct fcgi_client client;
	struct fcgi_pair pairs[REQUEST_PARAMS_MAX];
	int64_t fed[2]; /* bytes of the body, of the data */
	size_t len, sent; /* of out */
	uint8_t out[PIECE], feed[FEED], in[PIECE];
};

/* Gives the codec the next bytes of the stream that it wants. */
static int feed(struct exchange *x, bool data, struct fp_err *err)
{
	const struct request_body *b = data ? &x->q->data : &x->q->body;
	int64_t left = b->bytes - x->fed[data];
	ssize_t n = 0;

	if (left > 0) {
		n = pread(b->fd, x->feed, left < FEED ? (size_t)left : FEED, x->fed[data]);
		if (n <= 0)
			return n < 0 ? fp_fail(err, errno, "cannot read what is to be sent: %m")
				     : fp_fail(err, EIO, "what is to be sent became shorter meanwhile");
	}
	x->fed[data] += n;
	fcgi_client_feed(&x->client, x->feed, (size_t)n);
	return 0;
}

/* Makes x->out hold something.  1, 0: all was sent, or -errno. */
static int fill(struct exchange *x, struct fp_err *err)
{
	while (x->sent == x->len) {
		int wants, r;

		x->sent = 0;
		x->len = fcgi_client_pull(&x->client, x->out, sizeof(x->out));
		if (x->len > 0)
			break;
		wants = fcgi_client_wants(&x->client);
		if (wants == 0)
			return 0;
		r = feed(x, wants == FCGI_DATA, err);
		if (r < 0)
			return r;
	}
	return 1;
}

/* Sends as much as goes.  Who does not listen any more may still have answered. */
static int send_some(struct exchange *x, struct fp_err *err)
{
	int r;

	while ((r = fill(x, err)) == 1) {
		ssize_t n = send(x->socket, x->out + x->sent, x->len - x->sent, MSG_NOSIGNAL);

		if (n >= 0)
			x->sent += (size_t)n;
		else if (errno == EAGAIN)
			return 0;
		else if (errno == EPIPE || errno == ECONNRESET)
			break;
		else if (errno != EINTR)
			return fp_fail(err, errno, "cannot send the request: %m");
	}
	x->sending = false;
	return r < 0 ? r : 0;
}

static int take_event(struct exchange *x, const struct fcgi_client_event *e, int broken, struct fp_err *err)
{
	if (e->kind == FCGI_CLIENT_STDOUT)
		request_answer_feed(x->q->answer, (const char *)e->at, e->len);
	if (e->kind == FCGI_CLIENT_STDERR)
		fwrite(e->at, 1, e->len, x->q->err);
	if (e->kind == FCGI_CLIENT_BROKEN)
		return fp_fail(err, broken, "the application %s", e->why);
	if (e->kind == FCGI_CLIENT_END) {
		x->end = (struct request_end){.app_status = e->app_status, .protocol_status = e->protocol_status};
		x->ended = true;
	}
	return 0;
}

static int take_bytes(struct exchange *x, size_t len, struct fp_err *err)
{
	int r = 0;

	for (size_t at = 0; at < len && r == 0;) {
		struct fcgi_client_event e;

		at += fcgi_client_receive(&x->client, x->in + at, len - at, &e);
		r = take_event(x, &e, EPROTO, err);
	}
	/* A stream of events is to be seen as it comes. */
	fflush(x->q->answer->out);
	fflush(x->q->err);
	return r;
}

static int read_some(struct exchange *x, struct fp_err *err)
{
	struct fcgi_client_event e;
	ssize_t n = read(x->socket, x->in, sizeof(x->in));

	if (n > 0)
		return take_bytes(x, (size_t)n, err);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0 && errno != ECONNRESET)
		return fp_fail(err, errno, "cannot read the answer: %m");
	fcgi_client_eof(&x->client, &e);
	return take_event(x, &e, ECONNRESET, err);
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

static int begin(struct exchange *x, struct fp_err *err)
{
	const struct request_params *p = x->q->params;
	const struct fcgi_request request = {.role = (uint16_t)x->q->role, .params = x->pairs, .param_count = p->count};
	int r;

	for (size_t i = 0; i < p->count; i++)
		x->pairs[i] = (struct fcgi_pair){p->list[i].name, strlen(p->list[i].name), p->list[i].value, strlen(p->list[i].value)};
	r = fcgi_client_begin(&x->client, &request);
	return r < 0 ? fp_fail(err, -r, "a parameter is too long") : 0;
}

int request_run(int socket, const struct request *q, struct request_end *ret, struct fp_err *err)
{
	struct exchange x = {.socket = socket, .q = q, .sending = true};
	int r = begin(&x, err);

	while (r == 0 && !x.ended)
		r = step(&x, err);
	if (r == 0)
		*ret = x.end;
	return r;
}
