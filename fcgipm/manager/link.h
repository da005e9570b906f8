/* The manager's link to the launcher: typed requests with a callback for the answer, and events by table.
 *
 * The socket never blocks: what does not fit waits in a queue, so that launcher and manager cannot wait for one another.  Anything that breaks
 * the protocol ends the manager (link->lost says why): a successor starts from what the launcher knows.
 */
#ifndef FCGIPM_MANAGER_LINK_H
#define FCGIPM_MANAGER_LINK_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/wire/dgram.h"
#include "fcgipm/wire/launcher.h"
#include "fcgipm/wire/table.h"

enum { LINK_BUCKETS = 256 };

/* Which events may come: HELLO first; then what the launcher holds, up to GO; then everything else. */
enum link_phase { LINK_NEW = 1, LINK_LOADING = 2, LINK_RUNNING = 4 };

/* The answer to one request.  Descriptors that are not taken out of d are closed. */
typedef void link_done(void *ctx, const struct wire_answer *a, struct wire_dgram *d);

struct link_call {
	struct link_call *next;
	uint32_t seq;
	link_done *done; /* NULL: whoever asked is gone */
	void *ctx;
};

struct link_item {
	struct link_item *next;
	int fd; /* goes along, ours; -1 none */
	struct wire_dgram *d;
};

struct link {
	struct event readable, writable;
	int fd;
	enum link_phase phase;
	const struct wire_row *rows;
	size_t row_count;
	void *ctx; /* of the rows' handlers */
	void (*lost)(void *ctx, const char *why); /* the end: no call is made after it.  why NULL: the launcher closed */
	bool is_lost;
	uint32_t last_seq;
	unsigned waiting; /* calls that have no answer yet */
	struct link_call *calls[LINK_BUCKETS];
	struct link_item *first, **last;
	struct wire_dgram in;
};

/* Takes fd.  rows: of the events; ANSWER is the link's own. */
int link_init(struct link *l, struct event_base *base, int fd);
void link_fini(struct link *l);

/* The requests of wire/launcher.h.  done may be NULL. */
void link_bind(struct link *l, const struct wire_bind *m, link_done *done, void *ctx);
void link_unbind(struct link *l, const struct wire_unbind *m, link_done *done, void *ctx);
void link_spawn(struct link *l, const struct wire_spawn *m, link_done *done, void *ctx);
void link_look(struct link *l, uint64_t worker, link_done *done, void *ctx);
void link_retire(struct link *l, uint64_t worker, link_done *done, void *ctx);
void link_signal(struct link *l, uint64_t worker, int signo, link_done *done, void *ctx);
void link_cut(struct link *l, uint64_t worker, int64_t since_ns, link_done *done, void *ctx);
void link_state(struct link *l, int fd, link_done *done, void *ctx); /* fd stays the caller's */
void link_reload(struct link *l, link_done *done, void *ctx);
void link_commit(struct link *l, const struct wire_commit *m, link_done *done, void *ctx);
void link_output(struct link *l, const struct wire_commit *m, link_done *done, void *ctx);
void link_notice(struct link *l, uint8_t what);
void link_end(struct link *l, uint8_t how);
void link_exec(struct link *l, int fd); /* fd stays the caller's */

/* ctx goes: answers to it are dropped from now on. */
void link_forget(struct link *l, const void *ctx);

#endif
