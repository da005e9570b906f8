/* Counters by pool on mod_status' page (runs in httpd). */
#include "mod_fcgipm/report.h"

#include <http_protocol.h>
#include <inttypes.h>
#include <string.h>

#include "mod_fcgipm/counters.h"
#include "mod_fcgipm/lessor.h"

struct column {
	const char *text, *name;
};

#define COLUMN(NAME, text, name) {text, name},
static const struct column counters[] = {COUNTERS(COLUMN)};
static const struct column gauges[] = {GAUGES(COLUMN)};

static int64_t value(const struct pool_counters *c, unsigned which)
{
	return __atomic_load_n(&c->value[which], __ATOMIC_RELAXED);
}

static void tell_machine(request_rec *r, const struct counters *all, const struct pool_counters *c)
{
	bool exec = strncmp(c->name, COUNTERS_EXEC, strlen(COUNTERS_EXEC)) == 0;
	unsigned first = exec ? FAILURE_OF_POOLS : 0, end = exec ? FAILURE_COUNT : FAILURE_OF_POOLS;

	for (unsigned i = 0; i < GAUGE_COUNT; i++)
		ap_rprintf(r, "Fcgipm[%s].%s: %" PRId64 "\n", c->name, gauges[i].name, gauges_sum(all, c, (enum gauge)i));
	for (unsigned i = 0; i < COUNTER_FAILURES; i++)
		ap_rprintf(r, "Fcgipm[%s].%s: %" PRId64 "\n", c->name, counters[i].name, value(c, i));
	for (unsigned i = first; i < end; i++)
		ap_rprintf(r, "Fcgipm[%s].Failed[%s]: %" PRId64 "\n", c->name, failure_name((enum failure)i), value(c, COUNTER_FAILURES + i));
}

static void tell_person(request_rec *r, const struct counters *all, const struct pool_counters *c)
{
	ap_rprintf(r, "<tr><td>%s</td>", c->name); /* needs no escaping */
	for (unsigned i = 0; i < GAUGE_COUNT; i++)
		ap_rprintf(r, "<td align=\"right\">%" PRId64 "</td>", gauges_sum(all, c, (enum gauge)i));
	for (unsigned i = 0; i < COUNTER_FAILURES; i++)
		ap_rprintf(r, "<td align=\"right\">%" PRId64 "</td>", value(c, i));
	ap_rputs("<td>", r);
	for (unsigned i = 0; i < FAILURE_COUNT; i++)
		if (value(c, COUNTER_FAILURES + i) > 0)
			ap_rprintf(r, "%s: %" PRId64 " ", failure_name((enum failure)i), value(c, COUNTER_FAILURES + i));
	ap_rputs("</td></tr>\n", r);
}

void report_counters(request_rec *r, const struct counters *all, bool for_machines)
{
	const struct pool_counters *c;
	unsigned at = 0;

	if (!for_machines) {
		ap_rputs("<hr /><h2>FastCGI pools (mod_fcgipm)</h2>\n<table border=\"1\"><tr><th>Pool</th>", r);
		for (unsigned i = 0; i < GAUGE_COUNT; i++)
			ap_rprintf(r, "<th>%s</th>", gauges[i].text);
		for (unsigned i = 0; i < COUNTER_FAILURES; i++)
			ap_rprintf(r, "<th>%s</th>", counters[i].text);
		ap_rputs("<th>Failures</th></tr>\n", r);
	}
	while ((c = counters_next(all, &at)) != NULL)
		(for_machines ? tell_machine : tell_person)(r, all, c);
	if (!for_machines)
		ap_rputs("</table>\n", r);
}

struct telling {
	request_rec *r;
	bool for_machines;
};

static void tell_lease(void *ctx, const struct lease *lease)
{
	const struct telling *t = ctx;
	const struct fcgipm_lease *to = &lease->to;

	if (t->for_machines) {
		ap_rprintf(t->r, "FcgipmLease[%s]: %s\n", to->pool, to->address);
		return;
	}
	ap_rprintf(t->r, "<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td align=\"right\">%u</td><td align=\"right\">%d</td></tr>\n", to->pool,
		   ap_escape_html(t->r->pool, to->address), to->door >= 0 ? "door" : "address", to->listener >= 0 ? "yes" : "no", to->queue_limit,
		   __atomic_load_n(&lease->waiting, __ATOMIC_RELAXED));
}

void report_leases(request_rec *r, struct lessor *l, bool for_machines)
{
	struct telling t = {r, for_machines};

	if (!for_machines)
		ap_rprintf(r,
			   "<h3>Leases of this child, from %s</h3>\n<table border=\"1\"><tr><th>Pool</th><th>Address</th><th>By</th><th>Listener "
			   "held</th><th>Queue limit</th>"
			   "<th>Threads waiting</th></tr>\n",
			   ap_escape_html(r->pool, lessor_control(l)));
	lessor_each(l, tell_lease, &t);
	if (!for_machines)
		ap_rputs("</table>\n", r);
}
