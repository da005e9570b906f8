/* Monotonic time.  Pure code never calls these: it gets the time as an argument. */
#ifndef FCGIPM_BASE_CLOCK_H
#define FCGIPM_BASE_CLOCK_H

#include <stdint.h>

int64_t fp_now_ms(void);
int64_t fp_now_us(void);

#endif
