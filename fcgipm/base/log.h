/* One event, to one place: a line of logfmt or JSON to a descriptor, a datagram to syslog, an entry of the journal.  Only event handlers and main call this; libraries return errors.
 *
 *   log_warn("worker.exit", KS("pool", name), KI("pid", pid));
 *   time=2026-01-31T08:15:00.123Z level=warn event=worker.exit pool="blog" pid=42
 *
 * Event names are stable: they are part of the interface.  String values are escaped, so nothing that a worker writes can
 * forge a line.  A line is one write of at most PIPE_BUF bytes; what is longer is cut, and says cut=1.  When nobody reads, lines are dropped
 * after a moment, and counted: event log.dropped tells how many, as soon as one can be written again.  Where there is no daemon at a socket's other
 * end, log.unreachable says so on descriptor 2, once until there is one again.  errno is kept.
 * The logger is the one mutable global of a process: a log line must be possible everywhere.
 */
#ifndef FCGIPM_BASE_LOG_H
#define FCGIPM_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

enum fp_log_level { FP_LOG_ERROR, FP_LOG_WARN, FP_LOG_INFO, FP_LOG_DEBUG };
enum fp_log_format { FP_LOG_LOGFMT, FP_LOG_JSON };

struct fp_kv {
	const char *key; /* NULL ends the list */
	const char *text; /* NULL: a number */
	size_t len;
	int64_t number;
};
#define KS(k, v)    fp_kv_str((k), (v))
#define KB(k, v, n) ((struct fp_kv){.key = (k), .text = (v), .len = (n)})
#define KI(k, v)    ((struct fp_kv){.key = (k), .number = (int64_t)(v)})
struct fp_kv fp_kv_str(const char *key, const char *text); /* NULL prints as "" */

enum fp_log_sink { FP_LOG_LINES, FP_LOG_SYSLOG, FP_LOG_JOURNAL, FP_LOG_SINK_COUNT };

struct fp_log_to {
	int fd; /* stays the caller's */
	enum fp_log_sink sink;
	enum fp_log_level level;
	enum fp_log_format format;
	const char *address; /* of a socket; NULL: where the system has it, which no environment or configuration changes.  Tests have their own. */
};

/* Defaults before the first call: lines to descriptor 2, info, logfmt. */
void fp_log_setup_to(const struct fp_log_to *to);
/* Lines to a descriptor. */
void fp_log_setup(int fd, enum fp_log_level level, enum fp_log_format format);
/* A socket for FP_LOG_SYSLOG or FP_LOG_JOURNAL, or -errno.  It is connected to nobody: each datagram finds its way by name, so a daemon may come later,
 * end and come again. */
int fp_log_socket(void);
const char *fp_log_address(enum fp_log_sink sink); /* "/dev/log", "/run/systemd/journal/socket"; NULL for lines */
/* "error", "warn", "info", "debug"; "logfmt", "json".  -1: no such name. */
int fp_log_level_of(const char *name);
int fp_log_format_of(const char *name);

/* `line` is the event, as the key of the first element, then its fields. */
void fp_log(enum fp_log_level level, const struct fp_kv *line);

#define FP_LOG_LINE(event, ...) ((const struct fp_kv[]){{.key = (event)}, ##__VA_ARGS__, {.key = NULL}})
#define log_error(event, ...)   fp_log(FP_LOG_ERROR, FP_LOG_LINE(event, ##__VA_ARGS__))
#define log_warn(event, ...)    fp_log(FP_LOG_WARN, FP_LOG_LINE(event, ##__VA_ARGS__))
#define log_info(event, ...)    fp_log(FP_LOG_INFO, FP_LOG_LINE(event, ##__VA_ARGS__))
#define log_debug(event, ...)   fp_log(FP_LOG_DEBUG, FP_LOG_LINE(event, ##__VA_ARGS__))

#endif
