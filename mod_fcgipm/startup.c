/* The start (runs in httpd's parent). */
#include "mod_fcgipm/startup.h"

#include <ap_mpm.h>
#include <http_config.h>
#include <http_log.h>
#include <stdlib.h>
#include <string.h>

#include "mod_fcgipm/module.h"
#include "mod_fcgipm/park.h"

APLOG_USE_MODULE(fcgipm);

enum { ENOUGH_WAITING = 8 }; /* for each thread of a child */

/* No MPM tells it. */
static double worker_factor(apr_pool_t *temp)
{
	double factor = 2; /* httpd's default */

	for (const ap_directive_t *d = ap_conftree; d != NULL; d = d->next) {
		const char *args = d->args;

		if (strcasecmp(d->directive, "AsyncRequestWorkerFactor") == 0)
			factor = atof(ap_getword_conf(temp, &args));
	}
	return factor;
}

void startup_say_how_requests_wait(apr_pool_t *temp, server_rec *s)
{
	double factor = worker_factor(temp);
	int threads = 1, takes;

	ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
	if (!park_is_possible()) {
		ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
			     "FP0004: a request waits for its application in a thread (%s MPM; event of httpd 2.4.63 and later can do without); "
			     "FcgipmMaxWaiting bounds how many",
			     ap_show_mpm());
		return;
	}
	takes = (int)(threads * (factor + 1));
	ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, s,
		     "FP0004: a request waits for its application without a thread; a child takes about %d connections, waiting ones among them", takes);
	if (factor < ENOUGH_WAITING)
		ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
			     "FP0005: AsyncRequestWorkerFactor %g is small: beyond %d connections a child accepts no more, though its threads are free; 16 "
			     "serves well where many requests wait",
			     factor, takes);
}
