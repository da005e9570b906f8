/* Standard error of applications (runs in httpd). */
#include "mod_fcgipm/stderr.h"

#include <http_log.h>
#include <string.h>

#include "fcgipm/base/clock.h"
#include "mod_fcgipm/module.h"
#include "mod_fcgipm/script_log.h"

APLOG_USE_MODULE(fcgipm);

enum { LINES = 100, WINDOW_MS = 1000 }; /* of one pool or profile in one child */

/* Threads may count a line too many or too few: it is a bound for the log's sake. */
static bool may_log(struct stderr_source *from, request_rec *r)
{
	int64_t now = fp_now_ms();
	uint32_t dropped;

	if (now - __atomic_load_n(&from->at_ms, __ATOMIC_RELAXED) >= WINDOW_MS) {
		__atomic_store_n(&from->at_ms, now, __ATOMIC_RELAXED);
		__atomic_store_n(&from->lines, 0, __ATOMIC_RELAXED);
		dropped = __atomic_exchange_n(&from->dropped, 0, __ATOMIC_RELAXED);
		if (dropped > 0)
			ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, "FP0302: %s %s: %u lines of standard error were dropped", from->kind, from->name,
				      dropped);
	}
	if (__atomic_fetch_add(&from->lines, 1, __ATOMIC_RELAXED) < LINES)
		return true;
	__atomic_fetch_add(&from->dropped, 1, __ATOMIC_RELAXED);
	return false;
}

static void flush_line(struct stderr_lines *s, request_rec *r, struct stderr_source *from)
{
	size_t len = s->len;

	s->len = 0;
	while (len > 0 && s->line[len - 1] == '\r')
		len--;
	if (len == 0 || !may_log(from, r))
		return;
	ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "FP0301: %s %s: %s %s: %.*s", from->kind, from->name, r->method, r->uri, (int)len, s->line);
	if (from->in_script_log)
		script_log_error(r, r->status, s->line, len);
}

void stderr_take(struct stderr_lines *s, request_rec *r, struct stderr_source *from, const char *bytes, size_t len)
{
	while (len > 0) {
		const char *end = memchr(bytes, '\n', len);
		size_t want = end != NULL ? (size_t)(end - bytes) : len;
		size_t room = sizeof(s->line) - s->len, n = want < room ? want : room;

		memcpy(s->line + s->len, bytes, n);
		s->len += n;
		bytes += n;
		len -= n;
		if (n == want && end != NULL) {
			bytes++;
			len--;
		}
		if (s->len == sizeof(s->line) || (n == want && end != NULL))
			flush_line(s, r, from);
	}
}

void stderr_end(struct stderr_lines *s, request_rec *r, struct stderr_source *from)
{
	flush_line(s, r, from);
}
