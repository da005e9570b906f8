/* What the launcher has to tell its manager (and conf): sent at once when the socket takes it, else queued.  The launcher never blocks on either. */
#ifndef FCGIPM_LAUNCHER_OUTBOX_H
#define FCGIPM_LAUNCHER_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "fcgipm/wire/dgram.h"

enum { OUTBOX_MAX_BYTES = 64 << 20 };

struct outbox_item;

struct outbox {
	struct outbox_item *first, **last;
	size_t bytes;
};

void outbox_init(struct outbox *o);
/* Sends or queues d; descriptors stay the caller's (they are duplicated when queued).  0, -ENOBUFS (a manager that does not read), or -errno. */
int outbox_put(struct outbox *o, int sock, const struct wire_dgram *d, const int *fds, unsigned nfds);
/* Sends what it can.  1: all is sent, 0: some is left, or -errno. */
int outbox_flush(struct outbox *o, int sock);
void outbox_clear(struct outbox *o);

#endif
