/* The start (runs in httpd's parent). */
#include "mod_fcgipm/startup.h"

#include <ap_mpm.h>
#include <http_config.h>
#include <http_log.h>
#include <stdlib.h>
#include <string.h>

#include "mod_fcgipm/config.h"
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

/* ---- FcgipmExecProfile local ---- */

static bool has_threads(void)
{
	int threaded = 0;

	return ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded) == APR_SUCCESS && threaded != AP_MPMQ_NOT_SUPPORTED;
}

bool startup_permits_local(const struct server_config *c)
{
	return c->control == NULL || !has_threads();
}

/* Whether it runs programs by the profile "local". */
static bool is_local(apr_pool_t *temp, const ap_directive_t *d)
{
	const char *args = d->args, *word;
	bool filter = strcasecmp(d->directive, "FcgipmExtFilter") == 0;

	if (!filter && strcasecmp(d->directive, "FcgipmExecProfile") != 0)
		return false;
	do
		word = ap_getword_conf(temp, &args);
	while (filter && strchr(word, '=') != NULL);
	return strcmp(word, "local") == 0;
}

static const ap_directive_t *find_local(apr_pool_t *temp, const ap_directive_t *d)
{
	const ap_directive_t *found = NULL;

	for (; d != NULL && found == NULL; d = d->next)
		found = is_local(temp, d) ? d : find_local(temp, d->first_child);
	return found;
}

int startup_check(apr_pool_t *p, apr_pool_t *log, apr_pool_t *temp, server_rec *main_server)
{
	const ap_directive_t *d = find_local(temp, ap_conftree);

	(void)p;
	(void)log;
	for (const server_rec *s = main_server; d != NULL && s != NULL; s = s->next) {
		if (startup_permits_local(config_of_server(s)))
			continue;
		ap_log_error(APLOG_MARK, APLOG_CRIT | APLOG_STARTUP, 0, main_server,
			     "FP0006: %s:%d: %s local: this httpd has threads (%s MPM) and a manager (FcgipmControl): it is not to fork; name a profile of the "
			     "exec broker, or take the prefork MPM",
			     d->filename, d->line_num, d->directive, ap_show_mpm());
		return HTTP_INTERNAL_SERVER_ERROR;
	}
	return OK;
}
