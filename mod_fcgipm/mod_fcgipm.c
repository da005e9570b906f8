/* The module: where httpd calls it (runs in httpd). */
#include <httpd.h>
#include <apr_optional.h>
#include <ap_mpm.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_status.h>
#include <mpm_common.h>
#include <string.h>

#include "include/fcgipm/protocol.h"
#include "mod_fcgipm/brokers.h"
#include "mod_fcgipm/cgi.h"
#include "mod_fcgipm/config.h"
#include "mod_fcgipm/counters.h"
#include "mod_fcgipm/ext_filter.h"
#include "mod_fcgipm/filter.h"
#include "mod_fcgipm/lessor.h"
#include "mod_fcgipm/module.h"
#include "mod_fcgipm/named.h"
#include "mod_fcgipm/offer.h"
#include "mod_fcgipm/park.h"
#include "mod_fcgipm/report.h"
#include "mod_fcgipm/roles.h"
#include "mod_fcgipm/ssi.h"
#include "mod_fcgipm/startup.h"
#include "mod_fcgipm/talk.h"
#include "mod_fcgipm/wait.h"

enum { LESSORS = 16 };

/* What outlives httpd's restarts, and the loading of this module anew. */
struct retained {
	struct counters *counters;
	struct lessor *lessors[LESSORS]; /* one a control socket */
	struct brokers *brokers[LESSORS]; /* ... too */
};

static struct retained *retained(void)
{
	static const char key[] = "fcgipm/" FCGIPM_VERSION;
	struct retained *kept = ap_retained_data_get(key);

	return kept != NULL ? kept : ap_retained_data_create(key, sizeof(*kept));
}

/* ---- the configuration has been read ---- */

static struct counters *make_counters(void)
{
	int children = 0;

	ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &children);
	return counters_make(children > 0 ? 2U * (unsigned)children : 2); /* old ones end while new ones serve */
}

static struct lessor *lessor_of(struct retained *kept, const char *control)
{
	for (int i = 0; i < LESSORS; i++) {
		if (kept->lessors[i] == NULL)
			kept->lessors[i] = lessor_new(control, kept->counters);
		if (kept->lessors[i] == NULL || strcmp(lessor_control(kept->lessors[i]), control) == 0)
			return kept->lessors[i];
	}
	return NULL;
}

static struct brokers *brokers_of(struct retained *kept, const char *control)
{
	for (int i = 0; i < LESSORS; i++) {
		if (kept->brokers[i] == NULL)
			kept->brokers[i] = brokers_new(control);
		if (kept->brokers[i] == NULL || strcmp(brokers_control(kept->brokers[i]), control) == 0)
			return kept->brokers[i];
	}
	return NULL;
}

static int set_up(apr_pool_t *p, apr_pool_t *log, apr_pool_t *temp, server_rec *main_server)
{
	struct retained *kept = retained();
	apr_array_header_t *pools;

	(void)p;
	(void)log;
	if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
		return OK; /* it is read a second time */
	if (kept->counters == NULL)
		kept->counters = make_counters();
	for (server_rec *s = main_server; s != NULL; s = s->next) {
		struct server_config *c = config_of_server(s);

		const char *control = c->control != NULL ? c->control : FCGIPM_CONTROL_SOCKET;

		c->counters = kept->counters;
		c->local_permitted = startup_permits_local(c);
		c->lessor = lessor_of(kept, control);
		c->brokers = brokers_of(kept, control);
		if (c->lessor == NULL || c->brokers == NULL) {
			ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "FP0003: FcgipmControl: more than %d control sockets, or no memory", LESSORS);
			return HTTP_INTERNAL_SERVER_ERROR;
		}
	}
	park_init();
	startup_say_how_requests_wait(temp, main_server);
	pools = named_pools(temp);
	for (int i = 0; i < LESSORS && kept->lessors[i] != NULL; i++)
		lessor_hold(kept->lessors[i], pools, main_server);
	return OK;
}

static int look_again(apr_pool_t *p, server_rec *s)
{
	struct retained *kept = retained();

	(void)p;
	for (int i = 0; i < LESSORS && kept->lessors[i] != NULL; i++)
		lessor_hold_again(kept->lessors[i], s);
	return OK;
}

static void begin_child(apr_pool_t *p, server_rec *s)
{
	struct retained *kept = retained();
	int threads = 1;

	(void)p;
	(void)s;
	park_init();
	counters_begin_child(kept->counters);
	ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
	for (int i = 0; i < LESSORS && kept->lessors[i] != NULL; i++)
		lessor_child(kept->lessors[i], threads > 1);
}

static void child_changed(server_rec *s, pid_t pid, ap_generation_t generation, int slot, mpm_child_status state)
{
	(void)s;
	(void)generation;
	(void)slot;
	if (state == MPM_CHILD_EXITED)
		counters_end_child(retained()->counters, pid);
}

/* ---- requests ---- */

static const char *evaluate(request_rec *r, const ap_expr_info_t *e)
{
	const char *err = NULL, *pool = ap_expr_str_exec(r, e, &err);

	if (err == NULL)
		return pool;
	ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "FP0204: FcgipmPool: %s", err);
	return "";
}

/* FcgipmPool is as good as SetHandler, which goes before it; behind this RewriteRule's [H=...] may still say otherwise. */
static int choose(request_rec *r)
{
	const struct dir_config *c = config_of(r);

	if (c->pool == NULL || (r->handler != NULL && strcmp(r->handler, "fcgipm") != 0))
		return DECLINED;
	const char *pool = evaluate(r, c->pool);
	if (*pool != '\0')
		r->handler = apr_pstrcat(r->pool, "fcgipm:", pool, NULL);
	return DECLINED;
}

static int respond(request_rec *r)
{
	const char *pool = config_handler_pool(r->handler);
	struct talk *t;
	int status;

	if (pool == NULL)
		return DECLINED;
	status = talk_begin(&t, r, &(const struct talk_wish){.pool = pool, .role = FCGI_RESPONDER});
	return status != OK ? status : wait_for(t);
}

static int report(request_rec *r, int flags)
{
	struct retained *kept = retained();

	report_counters(r, kept->counters, (flags & AP_STATUS_SHORT) != 0);
	for (int i = 0; i < LESSORS && kept->lessors[i] != NULL; i++)
		report_leases(r, kept->lessors[i], (flags & AP_STATUS_SHORT) != 0);
	return OK;
}

static void register_hooks(apr_pool_t *p)
{
	static const char *const behind_core[] = {"core.c", NULL};

	park_register(p);
	roles_register(p);
	filter_register(p);
	cgi_register(p);
	ssi_register(p);
	ext_filter_register(p);
	offer_register();
	ap_hook_check_config(startup_check, NULL, NULL, APR_HOOK_MIDDLE);
	ap_hook_post_config(set_up, NULL, NULL, APR_HOOK_MIDDLE);
	ap_hook_monitor(look_again, NULL, NULL, APR_HOOK_MIDDLE);
	ap_hook_child_init(begin_child, NULL, NULL, APR_HOOK_MIDDLE);
	ap_hook_child_status(child_changed, NULL, NULL, APR_HOOK_MIDDLE);
	ap_hook_fixups(choose, behind_core, NULL, APR_HOOK_REALLY_FIRST);
	ap_hook_handler(respond, NULL, NULL, APR_HOOK_MIDDLE);
	APR_OPTIONAL_HOOK(ap, status_hook, report, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(fcgipm) = {
	STANDARD20_MODULE_STUFF, config_dir_make, config_dir_merge, config_server_make, config_server_merge, config_commands, register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
	AP_MODULE_FLAG_NONE,
#endif
};
