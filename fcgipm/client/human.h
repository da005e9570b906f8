/* Numbers as a person reads them at a glance.  Each writes into the caller's buffer and returns it; what is negative is unknown: "-". */
#ifndef FCGIPM_CLIENT_HUMAN_H
#define FCGIPM_CLIENT_HUMAN_H

#include <stddef.h>
#include <stdint.h>

const char *human_bytes(int64_t bytes, char *buf, size_t cap); /* 512, 8.0M, 123M, 1.2G: powers of 1024, as in the configuration */
const char *human_count(int64_t n, char *buf, size_t cap); /* exact to 99999, then 123k, 1.2M: powers of 1000 */
const char *human_rate(int64_t milli, char *buf, size_t cap); /* thousandths: 0.25, 9.5, 120, 12.3k */
const char *human_ms(int64_t ms, char *buf, size_t cap); /* 9 ms, 1.5 s, 5m 6s, 4h 5m, 3d 4h */

#endif
