/* The control socket: who may connect, how many, for how long, and how much is kept for one that reads slowly.  What a request means is in commands.c. */
#ifndef FCGIPM_MANAGER_CONTROL_H
#define FCGIPM_MANAGER_CONTROL_H

#include <event2/event_struct.h>
#include <stdint.h>

#include "fcgipm/manager/acl.h"
#include "fcgipm/wire/dgram.h"

enum {
	CONTROL_CLIENTS = 512, /* in all */
	CONTROL_CLIENTS_KEPT = 64, /* of those for root and the operators: many accounts together cannot keep them out */
	CONTROL_CLIENTS_UID = 128, /* of one uid; root's do not count */
	CONTROL_PENDING = 16, /* requests of one client that wait */
	CONTROL_IDLE_MS = 60000,
	CONTROL_QUEUE_BYTES = 1 << 20,
	CONTROL_TURN = 8 /* requests of one client in one turn */
};

struct manager;
struct client;
struct control_item;

struct control {
	struct event acceptable, again;
	int fd; /* the listening socket; -1 */
	struct client *clients;
	unsigned count;
	uint64_t refused;
};

struct client {
	struct client *next;
	struct manager *m;
	struct event readable, writable;
	int fd;
	int pending;
	bool broken; /* closed when the turn ends */
	bool leases; /* it has asked for a lease: it may stay while it says nothing, to be told of changes */
	bool told; /* that leases changed, since it asked last */
	struct probe_peer peer;
	struct control_item *first, **last;
	size_t queued;
};

/* Takes fd. */
int control_init(struct manager *m, int fd);
void control_fini(struct manager *m);

/* Answers.  A client that does not read loses its connection, nothing else. */
void control_done(struct client *c, uint32_t seq, unsigned code, const char *text);
void control_done_fd(struct client *c, uint32_t seq, int fd);
void control_note(struct client *c, uint32_t seq, const char *text);
/* Sends any message; fds stay the caller's. */
void control_send(struct client *c, struct wire_dgram *d, const struct wire_wr *w, const int *fds, unsigned nfds);
/* Tells each client that leases and was not told yet that something changed. */
void control_tell_lessees(struct manager *m);
/* The connection is somebody else's by now: ours is closed when the turn ends. */
void control_hand_over(struct client *c);
/* One more, or one less, wish of it waits. */
void control_pending(struct client *c, int change);

#endif
