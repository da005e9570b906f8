/* The listening sockets that the launcher holds, each once, by address.  Pools' entries and workers hold references; a listener goes when nobody does.
 */
#ifndef FCGIPM_LAUNCHER_LISTENER_H
#define FCGIPM_LAUNCHER_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/base/err.h"
#include "fcgipm/launcher/child.h"
#include "fcgipm/priv/listen.h"
#include "fcgipm/probe/queue.h"
#include "fcgipm/spec/spec.h"

struct launcher;

struct listener {
	struct listener *next;
	unsigned refs;
	bool listed; /* found by its address; not after its name was removed or it was found shut down */
	bool withdrawn; /* its name was removed */
	bool private_socket;
	bool handed; /* a supervisor's: its name, owner and mode are not ours to change */
	int fd, door; /* door -1 for TCP */
	struct priv_listen how; /* with copies of address and groups */
	struct priv_bound bound;
	struct probe_listener id;
};

struct listener_list {
	struct listener *first;
};

typedef void listener_done(struct listener *li, int error, const struct fp_err *err, void *ctx);

/* Finds or binds the listener of a spec.  done is called at once or, when a child must bind, later: with a reference for the caller, or with NULL. */
struct listener_request {
	struct launcher *launcher;
	listener_done *done;
	void *ctx;
	struct listener *listener;
	int ours, theirs; /* the door comes over this pair */
	struct child child;
};
int listener_get(struct launcher *l, const struct spec_pool *spec, listener_done *done, void *ctx);
/* One that is bound takes owner, mode and backlog of a spec that is now in force.  0 or -errno; then it stays as it was. */
int listener_adjust(struct listener *li, const struct spec_pool *spec, struct fp_err *err);
struct listener *listener_ref(struct listener *li);
/* The last reference removes the name (if it still is that inode) and closes the socket. */
void listener_unref(struct launcher *l, struct listener *li);
/* Removes the name; what is queued can still be accepted. */
void listener_withdraw(struct launcher *l, struct listener *li);
/* Takes it off the list when somebody shut it down, so that the next listener_get binds anew.  True when it was. */
bool listener_drop_if_shut(struct launcher *l, struct listener *li);

#endif
