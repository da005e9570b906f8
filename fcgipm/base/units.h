/* Values as administrators write them: durations, sizes, counts, modes, signal names.  Pure. */
#ifndef FCGIPM_BASE_UNITS_H
#define FCGIPM_BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

/* All: 0 or -EINVAL (not of the form), -ERANGE (does not fit).  Leading and trailing blanks are refused. */
int fp_parse_u64(const char *text, uint64_t *ret);
int fp_parse_duration_ms(const char *text, int64_t *ret_ms); /* 250ms 10s 5m 1h 2d; a bare 0; nothing negative */
int fp_parse_size(const char *text, uint64_t *ret_bytes); /* 4096 64K 256M 2G (powers of 1024) */
int fp_parse_mode(const char *text, unsigned *ret_mode); /* octal 0 to 7777: 0660 */
int fp_parse_signal(const char *text, int *ret_signo); /* TERM, SIGTERM, 15; "none" is 0 */

/* The shortest text with a unit that the parser reads back as the same value (a duration of 0 is "0s", a size may be bare); the buffer is the caller's, and is returned. */
const char *fp_format_duration_ms(int64_t ms, char *buf, size_t cap);
const char *fp_format_size(uint64_t bytes, char *buf, size_t cap);

/* "TERM" for 15; "none" for 0; a static text, "?" for no signal. */
const char *fp_signal_name(int signo);

#endif
