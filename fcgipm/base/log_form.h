/* The forms of one event: a line, a datagram for syslog, an entry for the journal.  Pure: time and pid are arguments. */
#ifndef FCGIPM_BASE_LOG_FORM_H
#define FCGIPM_BASE_LOG_FORM_H

#include <limits.h>
#include <time.h>

#include "fcgipm/base/log.h"

struct fp_text;

/* Buffers for a line (an atomic write to a pipe), a datagram for syslog, an entry of the journal. */
enum { FP_LOG_LINE_BYTES = PIPE_BUF, FP_LOG_SYSLOG_BYTES = PIPE_BUF + 64, FP_LOG_ENTRY_BYTES = 48 << 10 };

struct fp_log_event {
	enum fp_log_level level;
	enum fp_log_format format;
	struct timespec at;
	int pid;
	const struct fp_kv *line; /* as fp_log() takes it */
};

/* Each fills an empty t of 128 bytes or more: of what does not fit the end is cut, and the form says so.
 * A line is logfmt or JSON, with time and newline. */
void fp_log_form_line(struct fp_text *t, const struct fp_log_event *e);
/* "<28>Nov 23 08:15:00 fcgipm[42]: " as syslog(3) writes it, facility daemon, local time; behind it the line, without the time. */
void fp_log_form_syslog(struct fp_text *t, const struct fp_log_event *e);
/* https://systemd.io/JOURNAL_NATIVE_PROTOCOL/: MESSAGE is the line without the time; FCGIPM_EVENT and one FCGIPM_<KEY> a field have the values as they
 * are.  A value with a newline has its length before it, so none can make a field of its own. */
void fp_log_form_journal(struct fp_text *t, const struct fp_log_event *e);

/* One field of an entry: the name is `prefix` and `key` in capitals, of what the journal takes as a name.  A value that does not fit is cut. */
void fp_log_form_field(struct fp_text *t, const char *prefix, struct fp_kv kv);

#endif
