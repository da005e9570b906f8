/* A snapshot in the OpenMetrics text format (runs in a frontend or in the command line): one row a family, of figures by their path in client/figures.h. */
#include "fcgipm/client/openmetrics.h"

#include <inttypes.h>
#include <string.h>

#include "fcgipm/client/figures.h"

enum kind { GAUGE, COUNTER, INFO, STATESET };
static const char *const kinds[] = {[GAUGE] = "gauge", [COUNTER] = "counter", [INFO] = "info", [STATESET] = "stateset"};

/* One sample of a family: of which figure, under which further label. */
struct series {
	const char *path, *value; /* value: of the row's label, or of the stateset's; NULL: none */
};

struct family {
	const char *name; /* without _total */
	enum kind kind;
	const char *unit; /* "seconds": the figure is in milliseconds; "bytes"; or NULL */
	const char *help;
	const char *label; /* what tells the series from one another; NULL: there is one */
	struct series series[9];
};

/* Names are those of php-fpm's exporters where the meaning is (docs/metrics.md). */
static const struct family of_manager[] = {
	{"fcgipm", INFO, NULL, "The version of fcgipm.", "version", {{"version", NULL}}},
	{"fcgipm_uptime_seconds", GAUGE, "seconds", "Since the launcher started.", NULL, {{"uptime_ms", NULL}}},
	{"fcgipm_generation", GAUGE, NULL, "Number of the configuration in force: the first is 1, every reload adds one.", NULL, {{"generation", NULL}}},
	{"fcgipm_workers", GAUGE, NULL, "Workers that run, over all pools.", NULL, {{"workers", NULL}}},
	{"fcgipm_max_workers", GAUGE, NULL, "Workers that may run, over all pools.", NULL, {{"max_workers", NULL}}},
	{"fcgipm_manager_deaths", COUNTER, NULL, "Managers that died and were replaced.", NULL, {{"manager_starts", NULL}}},
};

static const struct family of_pools[] = {
	{"fcgipm_listen_queue", GAUGE, NULL, "Connections that wait now.", NULL, {{"queue.depth", NULL}}},
	{"fcgipm_max_listen_queue", GAUGE, NULL, "Most connections that waited at once.", NULL, {{"queue.peak", NULL}}},
	{"fcgipm_listen_queue_length", GAUGE, NULL, "Connections that may wait.", NULL, {{"queue.limit", NULL}}},
	{"fcgipm_idle_processes", GAUGE, NULL, "Workers that wait for a request.", NULL, {{"workers.idle", NULL}}},
	{"fcgipm_active_processes", GAUGE, NULL, "Workers that serve.", NULL, {{"workers.busy", NULL}}},
	{"fcgipm_booting_processes", GAUGE, NULL, "Workers that have not come to their first accept.", NULL, {{"workers.booting", NULL}}},
	{"fcgipm_retiring_processes", GAUGE, NULL, "Workers that are to end.", NULL, {{"workers.retiring", NULL}}},
	{"fcgipm_total_processes", GAUGE, NULL, "Workers: idle, active, booting and retiring.", NULL, {{"workers.total", NULL}}},
	{"fcgipm_min_processes", GAUGE, NULL, "Least workers.", NULL, {{"workers.min", NULL}}},
	{"fcgipm_max_processes", GAUGE, NULL, "Most workers.", NULL, {{"workers.max", NULL}}},
	{"fcgipm_accepted_connections", COUNTER, NULL, "Requests served.", NULL, {{"served", NULL}}},
	{"fcgipm_abandoned_connections", COUNTER, NULL, "Connections whose client had gone before they were accepted.", NULL, {{"abandoned", NULL}}},
	{"fcgipm_slow_requests", COUNTER, NULL, "Requests that ran for longer than request.slow.", NULL, {{"slow", NULL}}},
	{"fcgipm_busy_seconds", COUNTER, "seconds", "Time that workers have served in, of all together.", NULL, {{"busy_ms", NULL}}},
	{"fcgipm_process_memory_bytes", GAUGE, "bytes", "Resident memory of the workers.", NULL, {{"memory_bytes", NULL}}},
	{"fcgipm_restarts",
	 COUNTER,
	 NULL,
	 "Workers that ended and were replaced.",
	 "reason",
	 {{"restarts.exit", "exit"},
	  {"restarts.signal", "signal"},
	  {"restarts.timeout", "timeout"},
	  {"restarts.boot", "boot"},
	  {"restarts.lifetime", "lifetime"},
	  {"restarts.replaced", "replaced"},
	  {"restarts.requests", "requests"},
	  {"restarts.template", "template"}}},
	{"fcgipm_alarm_seconds",
	 COUNTER,
	 "seconds",
	 "For how long in all the pool suffered from that.",
	 "alarm",
	 {{"at_max_ms", "at_max"}, {"held_ms", "held"}, {"queue.full_ms", "queue_full"}, {"slow_boot_ms", "slow_boot"}, {"crashing_ms", "crashing"}}},
	{"fcgipm_alarm",
	 STATESET,
	 NULL,
	 "What the pool suffers from now.",
	 "fcgipm_alarm",
	 {{"alarms", "at_max"}, {"alarms", "held"}, {"alarms", "queue_full"}, {"alarms", "slow_boot"}, {"alarms", "crashing"}}},
	{"fcgipm_pool_state",
	 STATESET,
	 NULL,
	 "The state of the pool.",
	 "fcgipm_pool_state",
	 {{"state", "starting"},
	  {"state", "ready"},
	  {"state", "sleeping"},
	  {"state", "at_max"},
	  {"state", "held"},
	  {"state", "failed"},
	  {"state", "stopped"},
	  {"state", "removing"}}},
	{"fcgipm_pool_generation", GAUGE, NULL, "Number of the configuration that the pool runs by.", NULL, {{"generation", NULL}}},
};

static const struct family of_profiles[] = {
	{"fcgipm_exec_running", GAUGE, NULL, "Programs that run by that profile of the exec broker.", NULL, {{"running", NULL}}},
	{"fcgipm_exec_max_running", GAUGE, NULL, "Programs that may run.", NULL, {{"max_running", NULL}}},
	{"fcgipm_exec_queue", GAUGE, NULL, "Requests that wait for their turn.", NULL, {{"queue.depth", NULL}}},
	{"fcgipm_exec_queue_length", GAUGE, NULL, "Requests that may wait.", NULL, {{"queue.limit", NULL}}},
	{"fcgipm_exec_max_queue", GAUGE, NULL, "Most requests that waited at once.", NULL, {{"queue.peak", NULL}}},
	{"fcgipm_exec_started", COUNTER, NULL, "Programs that were started.", NULL, {{"started", NULL}}},
	{"fcgipm_exec_failed", COUNTER, NULL, "Programs that ended by themselves with a status other than 0, or by a signal.", NULL, {{"failed", NULL}}},
	{"fcgipm_exec_timeouts", COUNTER, NULL, "Programs that were ended because they took too long.", NULL, {{"timeouts", NULL}}},
	{"fcgipm_exec_busy", COUNTER, NULL, "Requests that were turned away because too many waited.", NULL, {{"busy", NULL}}},
	{"fcgipm_exec_refused", COUNTER, NULL, "Requests that were refused for another reason.", NULL, {{"refused", NULL}}},
	{"fcgipm_exec_cpu_seconds", COUNTER, "seconds", "Processor time of the programs that have ended.", NULL, {{"cpu_ms", NULL}}},
};

static const struct figure *figure_of(const struct figure *rows, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].path, path) == 0)
			return &rows[i];
	return NULL;
}

/* ---- one sample ---- */

/* A label's value: backslash, quote and newline are escaped, other control bytes and what is no ASCII are shown as "?", since the whole must be UTF-8. */
static void add_label(struct fp_doc *d, const char *name, const char *value, const char *before)
{
	fp_doc_add(d, "%s%s=\"", before, name);
	for (; *value != '\0'; value++) {
		if (*value == '\\' || *value == '"')
			fp_doc_add(d, "\\%c", *value);
		else if (*value == '\n')
			fp_doc_add(d, "\\n");
		else
			fp_doc_add(d, "%c", (unsigned char)*value < ' ' || (unsigned char)*value > '~' ? '?' : *value);
	}
	fp_doc_add(d, "\"");
}

static bool list_has(const struct snapshot_list *l, const char *text)
{
	struct wire_rd r = l->rest;

	for (uint32_t i = 0; i < l->count; i++)
		if (strcmp(wire_get_str(&r), text) == 0)
			return true;
	return false;
}

/* False: it is unknown. */
static bool value_of(const struct family *m, const struct series *s, const struct figure *f, const void *base, int64_t *ret)
{
	const struct snapshot_list *list = figure_list(f, base);
	const char *text = figure_text(f, base);

	*ret = 1;
	if (m->kind == INFO)
		return true;
	if (m->kind != STATESET)
		return figure_number(f, base, ret);
	*ret = list != NULL ? list_has(list, s->value) : text != NULL && strcmp(text, s->value) == 0;
	return true;
}

static const char *suffix_of(enum kind k)
{
	return k == COUNTER ? "_total" : k == INFO ? "_info" : "";
}

struct subject {
	const struct figure *rows;
	size_t count;
	const void *base;
	const char *label, *name; /* "pool" and the pool's; NULL: the manager */
};

static void add_sample(struct fp_doc *d, const struct family *m, const struct series *s, const struct subject *of)
{
	const struct figure *f = figure_of(of->rows, of->count, s->path);
	const char *label = m->kind == INFO ? figure_text(f, of->base) : s->value;
	int64_t v;

	if (!value_of(m, s, f, of->base, &v))
		return;
	fp_doc_add(d, "%s%s", m->name, suffix_of(m->kind));
	if (of->label != NULL)
		add_label(d, of->label, of->name, "{");
	if (m->label != NULL)
		add_label(d, m->label, label != NULL ? label : "", of->label != NULL ? "," : "{");
	if (of->label != NULL || m->label != NULL)
		fp_doc_add(d, "}");
	if (m->unit != NULL && strcmp(m->unit, "seconds") == 0)
		fp_doc_add(d, " %" PRId64 ".%03" PRId64 "\n", v / 1000, v % 1000);
	else
		fp_doc_add(d, " %" PRId64 "\n", v);
}

static void add_series(struct fp_doc *d, const struct family *m, const struct subject *of)
{
	for (const struct series *s = m->series; s->path != NULL; s++)
		add_sample(d, m, s, of);
}

/* ---- the whole ---- */

static void add_head(struct fp_doc *d, const struct family *m)
{
	fp_doc_add(d, "# TYPE %s %s\n", m->name, kinds[m->kind]);
	if (m->unit != NULL)
		fp_doc_add(d, "# UNIT %s %s\n", m->name, m->unit);
	fp_doc_add(d, "# HELP %s %s\n", m->name, m->help);
}

void openmetrics_render(struct fp_doc *d, const struct snapshot *s)
{
	for (size_t i = 0; i < sizeof(of_manager) / sizeof(of_manager[0]); i++) {
		add_head(d, &of_manager[i]);
		add_series(d, &of_manager[i], &(struct subject){figures_manager, figures_manager_count, &s->manager, NULL, NULL});
	}
	for (size_t i = 0; i < sizeof(of_pools) / sizeof(of_pools[0]); i++) {
		add_head(d, &of_pools[i]);
		for (uint32_t p = 0; p < s->count; p++)
			add_series(d, &of_pools[i], &(struct subject){figures_pool, figures_pool_count, &s->pools[p], "pool", s->pools[p].figures.name});
	}
	for (size_t i = 0; i < sizeof(of_profiles) / sizeof(of_profiles[0]); i++) {
		add_head(d, &of_profiles[i]);
		for (uint32_t p = 0; p < s->profile_count; p++)
			add_series(d, &of_profiles[i],
				   &(struct subject){figures_profile, figures_profile_count, &s->profiles[p], "profile", s->profiles[p].name});
	}
	fp_doc_add(d, "# EOF\n");
}
