/* Templates: a pool's application that has booted and waits at its first accept, to be forked from.
 *
 * What comes over its socket is a hostile account's: a word of eight bytes, and the kernel's word for who sent it.  A new worker is believed only if it is a child of
 * ours (the template makes it with CLONE_PARENT), that we do not know yet, of the pool's account, and we had asked for it.
 */
#ifndef FCGIPM_LAUNCHER_TEMPLATE_H
#define FCGIPM_LAUNCHER_TEMPLATE_H

#include "fcgipm/launcher/worker.h"

/* The pair of a new template; *ret_theirs is to become its BOARD_HOOK_FD.  0 or -errno. */
int template_open(struct worker *t, int *ret_theirs);
/* Begins to listen to it. */
void template_watch(struct launcher *l, struct worker *t);
/* Asks it for w, which answers the manager's request seq when it has come, or not within SPAWN_LIMIT_MS.  output: w's, for its descriptors 1 and 2.  0 or -errno. */
int template_order(struct launcher *l, struct worker *t, struct worker *w, int output, uint32_t seq);
/* It has been seen to serve: unless it has said something else by now, it is a worker like any other. */
void template_seen_serving(struct launcher *l, struct worker *t);
/* It has ended: what it has still said is heard, and whoever has not come from it by now does not. */
void template_ended(struct launcher *l, struct worker *t);
/* Lets go of it: whoever was to come from it does not. */
void template_close(struct launcher *l, struct worker *t);

#endif
