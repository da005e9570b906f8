/* How a request waits for its application (runs in httpd): in its thread, or, where httpd and the request allow it, without one.  A short while in the thread comes
 * first, so that what is answered fast pays nothing for the rest. */
#ifndef MOD_FCGIPM_WAIT_H
#define MOD_FCGIPM_WAIT_H

#include <httpd.h>
#include <stdbool.h>
#include <stdint.h>

struct talk;

/* Until it is over.  A handler's return value; the request may go on after it (park.h). */
int wait_for(struct talk *t);
/* In the thread, whatever else were possible; as many of this child as FcgipmMaxWaiting grants may do so for the pool. */
void wait_in_thread(struct talk *t);
/* Waits in the thread until it is over, or until_ms (fp_now_ms()) has come.  True: it is over. */
bool wait_here(struct talk *t, int64_t until_ms);

#endif
