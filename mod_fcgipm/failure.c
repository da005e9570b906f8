/* Failures of requests (runs in httpd). */
#include "mod_fcgipm/failure.h"

#include <apr_strings.h>
#include <http_log.h>

#include "mod_fcgipm/counters.h"
#include "mod_fcgipm/module.h"

APLOG_USE_MODULE(fcgipm);

struct failure_row {
	const char *name, *id;
	int status, retry_after_s;
	const char *text;
};

#define FAILURE_ROW(NAME, id, status, retry_after_s, text) {#NAME, id, status, retry_after_s, text},
static const struct failure_row rows[] = {FAILURES(FAILURE_ROW) EXEC_FAILURES(FAILURE_ROW)};

int failure_tell(request_rec *r, const char *name, struct pool_counters *counters, enum failure f, const char *detail)
{
	const struct failure_row *row = &rows[f];

	counters_add(counters, COUNTER_FAILURES + (unsigned)f, 1);
	if (f != FAILURE_NO_LEASE) /* that is logged once, by who leases */
		ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "%s: %s %s: %s%s%s", row->id, f < FAILURE_OF_POOLS ? "pool" : "profile", name, row->text,
			      detail != NULL ? " " : "", detail != NULL ? detail : "");
	if (row->retry_after_s > 0)
		apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, row->retry_after_s));
	return row->status;
}

const char *failure_name(enum failure f)
{
	return rows[f].name;
}
