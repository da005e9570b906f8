/* How soon the kernel lets us run after a wake-up.  Any process. */
#ifndef FCGIPM_BASE_SLICE_H
#define FCGIPM_BASE_SLICE_H

/* Asks for the shortest time slice (sched(7); Linux 6.12 and later, before that it changes nothing): whoever asks for little at a time comes first, and we never
 * need more.  Children inherit it. */
void fp_ask_short_slice(void);
/* Back to what everybody has, as a child of one that asked.  Async-signal-safe. */
void fp_ordinary_slice(void);

#endif
