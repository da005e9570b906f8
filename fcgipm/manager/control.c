/* Clients of the control socket (manager process).  No client can make the manager wait, and none can make it keep more than a bounded amount. */
#include "fcgipm/manager/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/manager/commands.h"
#include "fcgipm/manager/manager.h"
#include "fcgipm/wire/control.h"

enum { ACCEPT_TURN = 16, ACCEPT_AGAIN_MS = 100 };

struct control_item {
	struct control_item *next;
	unsigned nfds;
	int fds[WIRE_FDS_MAX];
	struct wire_dgram *d;
};

/* ---- sending ---- */

static void item_free(struct control_item *i)
{
	for (unsigned n = 0; n < i->nfds; n++)
		fp_close(&i->fds[n]);
	free(i->d);
	free(i);
}

static void client_drop_first(struct client *c)
{
	struct control_item *i = c->first;

	c->first = i->next;
	if (c->first == NULL)
		c->last = &c->first;
	c->queued -= i->d->len;
	item_free(i);
}

/* It may be deep in a handler of this very client: the connection is closed when the turn ends. */
static void client_break(struct client *c, const char *why)
{
	if (c->broken)
		return;
	c->broken = true;
	if (why != NULL)
		log_warn("control.closed", KI("uid", c->peer.uid), KI("pid", c->peer.pid), KS("why", why));
	event_del(&c->writable);
	event_active(&c->readable, EV_READ, 0);
}

void control_hand_over(struct client *c)
{
	client_break(c, NULL);
}

static void client_queue(struct client *c, const struct wire_dgram *d, const int *fds, unsigned nfds)
{
	struct control_item *i = calloc(1, sizeof(*i));
	size_t size = sizeof(*d) - sizeof(d->bytes) + d->len;

	if (i == NULL || c->queued + d->len > CONTROL_QUEUE_BYTES || (i->d = malloc(size)) == NULL) {
		free(i);
		client_break(c, "does not read");
		return;
	}
	memcpy(i->d, d, size);
	for (; i->nfds < nfds; i->nfds++)
		i->fds[i->nfds] = fcntl(fds[i->nfds], F_DUPFD_CLOEXEC, 3);
	*c->last = i;
	c->last = &i->next;
	c->queued += d->len;
	event_add(&c->writable, NULL);
}

void control_send(struct client *c, struct wire_dgram *d, const struct wire_wr *w, const int *fds, unsigned nfds)
{
	int r;

	if (c->broken)
		return;
	r = wire_end(d, w);
	if (r == 0)
		r = c->first != NULL ? -EAGAIN : wire_send(c->fd, d, fds, nfds);
	if (r == -EAGAIN || r == -ENOBUFS)
		client_queue(c, d, fds, nfds);
	else if (r < 0)
		client_break(c, NULL);
}

static void client_writable(evutil_socket_t fd, short what, void *ctx)
{
	struct client *c = ctx;

	(void)what;
	while (c->first != NULL) {
		int r = wire_send(fd, c->first->d, c->first->fds, c->first->nfds);

		if (r == -EAGAIN || r == -ENOBUFS)
			return;
		if (r < 0) {
			client_break(c, NULL);
			return;
		}
		client_drop_first(c);
	}
	event_del(&c->writable);
}

static void send_done(struct client *c, uint32_t seq, const struct wire_c_done *m, int fd)
{
	struct wire_dgram d;
	struct wire_wr w;

	wire_begin(&d, &w, WIRE_C_DONE, seq);
	wire_put_c_done(&w, m);
	control_send(c, &d, &w, &fd, fd >= 0 ? 1 : 0);
}

/* A text that is too long is cut: it is for people. */
void control_done(struct client *c, uint32_t seq, unsigned code, const char *text)
{
	char cut[WIRE_CONTROL_TEXT_MAX];
	struct wire_c_done m = {.code = code, .text = cut};

	snprintf(cut, sizeof(cut), "%s", text);
	send_done(c, seq, &m, -1);
}

void control_done_fd(struct client *c, uint32_t seq, int fd)
{
	send_done(c, seq, &(struct wire_c_done){.code = 0, .text = ""}, fd);
}

void control_note(struct client *c, uint32_t seq, const char *text)
{
	char cut[WIRE_CONTROL_TEXT_MAX];
	struct wire_dgram d;
	struct wire_wr w;

	snprintf(cut, sizeof(cut), "%s", text);
	wire_begin(&d, &w, WIRE_C_NOTE, seq);
	wire_put_c_note(&w, &(struct wire_c_note){.text = cut});
	control_send(c, &d, &w, NULL, 0);
}

void control_tell_lessees(struct manager *m)
{
	for (struct client *c = m->control.clients; c != NULL; c = c->next) {
		struct wire_dgram d;
		struct wire_wr w;

		if (!c->leases || c->told)
			continue;
		c->told = true;
		wire_begin(&d, &w, WIRE_C_CHANGED, 0);
		wire_put_c_changed(&w, &(struct wire_c_changed){.generation = m->generation});
		control_send(c, &d, &w, NULL, 0);
	}
}

void control_pending(struct client *c, int change)
{
	c->pending += change;
}

/* ---- receiving ---- */

static void client_free(struct client *c)
{
	struct control *k = &c->m->control;
	struct client **at = &k->clients;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	k->count--;
	event_del(&c->readable);
	event_del(&c->writable);
	ops_forget_client(c->m, c);
	while (c->first != NULL)
		client_drop_first(c);
	fp_close(&c->fd);
	free(c);
	if (k->fd >= 0)
		event_add(&k->acceptable, NULL);
}

static void client_wait(struct client *c)
{
	struct timeval idle = {.tv_sec = CONTROL_IDLE_MS / 1000};

	event_add(&c->readable, c->leases && c->first == NULL ? NULL : &idle);
}

static void client_take(struct client *c, struct wire_dgram *d)
{
	char why[96];
	const char *name = "?";
	enum wire_refusal r;

	if (c->pending >= CONTROL_PENDING) {
		wire_dgram_close(d);
		control_done(c, d->seq, 1, "too many requests wait on this connection");
		return;
	}
	r = commands_dispatch(c, d, &name);
	if (r == WIRE_ACCEPTED)
		return;
	c->m->control.refused++;
	snprintf(why, sizeof(why), "%s: %s", name, wire_refusal_name(r));
	client_break(c, why);
}

static void client_receive(struct client *c)
{
	static struct wire_dgram in; /* one at a time, too large for the stack of a deep call */

	for (int i = 0; i < CONTROL_TURN && !c->broken; i++) {
		/* With descriptors, where the kernel cannot refuse them: unasked for, it would close them in us, and let them linger. */
		int r = wire_recv(c->fd, &in);

		if (r == -EAGAIN || r == -EINTR)
			return;
		if (r == 1)
			client_take(c, &in);
		else
			client_break(c, r == -EMSGSIZE || r == -EPROTO ? "malformed" : NULL);
	}
}

static void client_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct client *c = ctx;

	(void)fd;
	if ((what & EV_READ) != 0)
		client_receive(c);
	else if (c->pending == 0) /* idle for too long, or it leaves its answers unread */
		client_break(c, c->first != NULL ? "does not read" : NULL);
	if (c->broken)
		client_free(c);
	else
		client_wait(c);
}

/* ---- accepting ---- */

static unsigned clients_of(const struct control *k, uint32_t uid)
{
	unsigned n = 0;

	for (const struct client *c = k->clients; c != NULL; c = c->next)
		n += c->peer.uid == uid;
	return n;
}

static bool has_place(struct manager *m, const struct probe_peer *peer)
{
	const struct control *k = &m->control;

	if (peer->uid == 0)
		return true;
	if (clients_of(k, peer->uid) >= CONTROL_CLIENTS_UID)
		return false;
	return k->count < CONTROL_CLIENTS - CONTROL_CLIENTS_KEPT || commands_may_operate(m, peer);
}

static void client_new(struct manager *m, int taken)
{
	struct control *k = &m->control;
	struct client *c = calloc(1, sizeof(*c));
	fp_autoclose int fd = taken;
	int r = c == NULL ? -ENOMEM : probe_peer(fd, &c->peer);

	if (r == 0 && !has_place(m, &c->peer))
		r = -EDQUOT;
	if (r < 0) {
		k->refused++;
		log_debug("control.refused", KI("uid", c != NULL ? c->peer.uid : 0), KI("errno", -r));
		free(c);
		return;
	}
	c->m = m;
	c->fd = FP_TAKE_FD(fd);
	c->last = &c->first;
	c->next = k->clients;
	k->clients = c;
	k->count++;
	event_assign(&c->readable, m->base, c->fd, EV_READ, client_readable, c);
	event_assign(&c->writable, m->base, c->fd, EV_WRITE | EV_PERSIST, client_writable, c);
	client_wait(c);
}

/* Full, or out of descriptors: the rest wait in the socket's queue; the next client that goes makes room. */
static void control_acceptable(evutil_socket_t fd, short what, void *ctx)
{
	struct manager *m = ctx;
	struct timeval again = {.tv_usec = ACCEPT_AGAIN_MS * 1000};

	(void)what;
	for (int i = 0; i < ACCEPT_TURN && m->control.count < CONTROL_CLIENTS; i++) {
		int s = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (s >= 0) {
			client_new(m, s);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			event_del(&m->control.acceptable);
			event_add(&m->control.again, &again);
		}
		return;
	}
	if (m->control.count >= CONTROL_CLIENTS)
		event_del(&m->control.acceptable);
}

static void control_again(evutil_socket_t fd, short what, void *ctx)
{
	struct manager *m = ctx;

	(void)fd;
	(void)what;
	event_add(&m->control.acceptable, NULL);
}

int control_init(struct manager *m, int fd)
{
	struct control *k = &m->control;

	k->fd = fd;
	if (fp_set_nonblock(fd, true) < 0 || event_assign(&k->acceptable, m->base, fd, EV_READ | EV_PERSIST, control_acceptable, m) < 0)
		return -EBADMSG;
	evtimer_assign(&k->again, m->base, control_again, m);
	return event_add(&k->acceptable, NULL) < 0 ? -ENOMEM : 0;
}

void control_fini(struct manager *m)
{
	struct control *k = &m->control;

	if (k->fd < 0)
		return;
	event_del(&k->acceptable);
	event_del(&k->again);
	fp_close(&k->fd);
	while (k->clients != NULL)
		client_free(k->clients);
}
