/* The queue towards the manager, and towards conf (launcher process). */
#include "fcgipm/launcher/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/fd.h"

struct outbox_item {
	struct outbox_item *next;
	size_t len;
	unsigned nfds;
	int fds[WIRE_FDS_MAX];
	uint8_t bytes[];
};

void outbox_init(struct outbox *o)
{
	*o = (struct outbox){.first = NULL};
	o->last = &o->first;
}

static void item_free(struct outbox_item *i)
{
	for (unsigned n = 0; n < i->nfds; n++)
		fp_close(&i->fds[n]);
	free(i);
}

static struct outbox_item *item_new(const struct wire_dgram *d, const int *fds, unsigned nfds)
{
	struct outbox_item *i = malloc(sizeof(*i) + d->len);

	if (i == NULL)
		return NULL;
	*i = (struct outbox_item){.len = d->len};
	memcpy(i->bytes, d->bytes, d->len);
	for (; i->nfds < nfds; i->nfds++) {
		i->fds[i->nfds] = fcntl(fds[i->nfds], F_DUPFD_CLOEXEC, 0);
		if (i->fds[i->nfds] >= 0)
			continue;
		item_free(i);
		return NULL;
	}
	return i;
}

/* A full socket, or too many descriptors on their way (unix(7), ETOOMANYREFS): both pass when the manager reads. */
static bool must_wait(int r)
{
	return r == -EAGAIN || r == -ENOBUFS || r == -ETOOMANYREFS;
}

int outbox_put(struct outbox *o, int sock, const struct wire_dgram *d, const int *fds, unsigned nfds)
{
	struct outbox_item *i;
	int r;

	if (o->first == NULL) {
		r = wire_send(sock, d, fds, nfds);
		if (r == 0 || !must_wait(r))
			return r;
	}
	if (o->bytes + d->len > OUTBOX_MAX_BYTES)
		return -ENOBUFS;
	i = item_new(d, fds, nfds);
	if (i == NULL)
		return -ENOMEM;
	*o->last = i;
	o->last = &i->next;
	o->bytes += i->len;
	return 0;
}

static void drop_first(struct outbox *o)
{
	struct outbox_item *i = o->first;

	o->first = i->next;
	if (o->first == NULL)
		o->last = &o->first;
	o->bytes -= i->len;
	item_free(i);
}

int outbox_flush(struct outbox *o, int sock)
{
	static struct wire_dgram d; /* 32 KB: too much for the stack of every caller, needed by one at a time */

	while (o->first != NULL) {
		int r;

		d.len = o->first->len;
		memcpy(d.bytes, o->first->bytes, d.len);
		r = wire_send(sock, &d, o->first->fds, o->first->nfds);
		if (must_wait(r))
			return 0;
		if (r < 0)
			return r;
		drop_first(o);
	}
	return 1;
}

void outbox_clear(struct outbox *o)
{
	while (o->first != NULL)
		drop_first(o);
}
