/* Monotonic time, and what we used of the processor.  Pure code never calls these: it gets the time as an argument. */
#ifndef FCGIPM_BASE_CLOCK_H
#define FCGIPM_BASE_CLOCK_H

#include <stdint.h>
#include <sys/time.h>

int64_t fp_now_ms(void);
int64_t fp_now_us(void);
/* Processor time of this process: what something cost, however long others ran meanwhile. */
int64_t fp_used_us(void);
int64_t fp_us_of(struct timeval t);

#endif
