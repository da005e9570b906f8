/* What a look found: errors keep the pool from starting, warnings are worth a look.  One finding is one line, "KEY\tTEXT" or
 * "~KEY\tTEXT" for a warning. */
#ifndef FCGIPM_LOOK_REPORT_H
#define FCGIPM_LOOK_REPORT_H

#include "fcgipm/base/text.h"

struct look_report {
	struct fp_text errors, warnings;
	unsigned error_count; /* lines */
};

/* key: as enum spec_origin is named in the file ("command", "chroot", ...).  What does not fit is left out whole, and the last line says so. */
void look_error(struct look_report *r, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void look_warn(struct look_report *r, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
