/* Listeners that outlive us in the hands of a holder (httpd's parent): at a complete stop their names stay, and the queue with them; the next start takes them back.
 *
 * Only a process of our own account (root, or the ordinary user) counts as a holder here, and none that descends from us: what another account holds, it could have
 * made.  Only sockets that were noted at the stop, in RUNTIME/held, are taken: what another server of root's listens on is its own.  Reading a holder's descriptors
 * needs CAP_SYS_PTRACE; without it, names go and are bound anew, as if nobody held anything.
 */
#ifndef FCGIPM_LAUNCHER_HOLDER_H
#define FCGIPM_LAUNCHER_HOLDER_H

#include <stdbool.h>

#include "fcgipm/priv/listen.h"
#include "fcgipm/probe/queue.h"

struct launcher;
struct holders;

/* The note of the stop before is read and removed. */
void holder_open(struct launcher *l);
/* Whether somebody holds that very socket; then it is noted for the next start. */
bool holder_leave(struct launcher *l, const struct probe_listener *id);
/* The listening socket of that address and the door to its inode (-1 for TCP), from whoever holds it.  0; -ENOENT: nobody does. */
int holder_take(struct launcher *l, const struct priv_listen *how, int *ret_fd, int *ret_door);
/* What /proc said; it is read again when it is needed. */
void holder_forget(struct launcher *l);
void holder_close(struct launcher *l);

#endif
