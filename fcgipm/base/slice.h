/* How soon the kernel lets us run after a wake-up.  Any process. */
#ifndef FCGIPM_BASE_SLICE_H
#define FCGIPM_BASE_SLICE_H

/* Asks for the shortest time slice (sched(7); Linux 6.12 and later, before that it changes nothing): whoever asks for little at a time comes first, and we never
 * need more.  What the caller forks from now on has the ordinary slice and a nice value not below 0 (SCHED_FLAG_RESET_ON_FORK). */
void fp_ask_short_slice(void);

#endif
