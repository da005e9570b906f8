/* How the launcher ends: the manager retires the workers; what is left is ended here; then nothing of ours remains. */
#ifndef FCGIPM_LAUNCHER_ENDING_H
#define FCGIPM_LAUNCHER_ENDING_H

#include <stdint.h>

struct launcher;

/* how 0: drain (what is queued is served first); 1: stop (what is being served is finished).  Asked again it gets stricter: drain, stop, kill. */
void ending_begin(struct launcher *l, uint8_t how);
/* The manager is done (or gone for good): when what the broker runs has ended too, or at once when that took too long, kills what is left, removes sockets, and leaves the loop when the last child is reaped. */
void ending_finish(struct launcher *l);
/* The last run of the broker has ended: what waited for that goes on. */
void ending_run_ended(struct launcher *l);

#endif
