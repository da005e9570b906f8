/* One pool: from the settings that the file gives it to the spec that root will run (conf process).  It asks for no more than the launcher's
 * floors allow, and says so here, with line and column. */
#include "fcgipm/conf/pool.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "fcgipm/conf/judge.h"

static const struct settings_row *row(enum settings_pool_index i)
{
	return &settings_pool_table.rows[i];
}

bool conf_draft_given(const struct conf_draft *d, enum settings_pool_index i)
{
	return d->places[i].line != 0;
}

struct spec_place conf_draft_place(const struct conf_draft *d, enum settings_pool_index i)
{
	return conf_draft_given(d, i) ? d->places[i] : d->pool->node->key_place;
}

void conf_draft_key(const struct conf_draft *d, enum settings_pool_index i, char (*ret)[CONF_PATH_MAX])
{
	struct fp_text t = FP_TEXT(*ret);

	if (conf_draft_inherited(d, i))
		fp_text_add(&t, "defaults.%s", row(i)->key);
	else
		fp_text_add(&t, "pools.%s.%s", d->pool->name, row(i)->key);
}

bool conf_draft_inherited(const struct conf_draft *d, enum settings_pool_index i)
{
	return d->nodes[i] != NULL && d->nodes[i] == d->job->default_nodes[i];
}

static void add_finding(const struct conf_draft *d, bool warning, enum settings_pool_index i, const char *fmt, va_list ap)
{
	char key[CONF_PATH_MAX], text[CONF_TEXT_MAX];
	struct fp_text t = FP_TEXT(text);

	fp_text_vadd(&t, fmt, ap);
	conf_draft_key(d, i, &key);
	(warning ? conf_warn_once : conf_error_once)(d->job->report, conf_draft_place(d, i), "%s: %s", key, text);
}

void conf_draft_error(const struct conf_draft *d, enum settings_pool_index i, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_finding(d, false, i, fmt, ap);
	va_end(ap);
}

void conf_draft_warn(const struct conf_draft *d, enum settings_pool_index i, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_finding(d, true, i, fmt, ap);
	va_end(ap);
}

/* Of two values that contradict each other it is said of the one that the pool itself gives. */
static void check_order(const struct conf_draft *d, enum settings_pool_index least, enum settings_pool_index most)
{
	char small[32], great[32];
	bool own_least = conf_draft_given(d, least) && !conf_draft_inherited(d, least);
	bool own_most = conf_draft_given(d, most) && !conf_draft_inherited(d, most);

	if (settings_show(&d->set, row(least), small, sizeof(small)) <= settings_show(&d->set, row(most), great, sizeof(great)))
		return;
	if (own_least || (!own_most && conf_draft_given(d, least)))
		conf_draft_error(d, least, "%s exceeds %s, %s (at most as much)", small, row(most)->key, great);
	else
		conf_draft_error(d, most, "%s is below %s, %s (at least as much)", great, row(least)->key, small);
}

/* The default backlog is what the kernel allows; one that is asked for must be possible. */
static void check_queue(struct conf_draft *d)
{
	uint32_t limit = d->set.queue_limit, most = d->job->world->somaxconn;

	if (limit <= most)
		return;
	if (conf_draft_given(d, SETTINGS_AT_POOL_queue_limit))
		conf_draft_error(d, SETTINGS_AT_POOL_queue_limit, "%u exceeds net.core.somaxconn (1 to %u, or raise that with sysctl)", limit, most);
	else
		d->set.queue_limit = most;
}

bool conf_draft_differs(const struct conf_draft *d, enum settings_pool_index i)
{
	struct pool_settings preset = {0};
	bool differs = false;

	if (!conf_draft_given(d, i) || conf_draft_inherited(d, i))
		return false;
	if (settings_preset(&preset, row(i), NULL) == 0)
		differs = !settings_same(row(i), &preset, &d->set);
	settings_clear(&preset, row(i));
	return differs;
}

/* No error: what is beyond max is only never reached. */
static void warn_beyond_max(const struct conf_draft *d, enum settings_pool_index i, uint32_t v, const char *what)
{
	if (v > d->set.workers_max && conf_draft_differs(d, i))
		conf_draft_warn(d, i, "%u exceeds workers.max, %u (%s)", v, d->set.workers_max, what);
}

static void warn_templates(const struct conf_draft *d)
{
	static const enum settings_pool_index rows[] = {SETTINGS_AT_POOL_workers_template, SETTINGS_AT_POOL_workers_template_lifetime};

	for (size_t i = 0; strcmp(d->set.workers_start, "exec") == 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (conf_draft_differs(d, rows[i]))
			conf_draft_warn(d, rows[i], "has no effect with workers.start: exec");
}

static void check_life(struct conf_draft *d)
{
	warn_templates(d);
	warn_beyond_max(d, SETTINGS_AT_POOL_workers_spare, d->set.workers_spare, "so many are never idle");
	warn_beyond_max(d, SETTINGS_AT_POOL_workers_boot_parallel, d->set.workers_boot_parallel, "so many never boot at once");
	if (d->set.request_timeout > 0 && d->set.request_slow >= d->set.request_timeout && conf_draft_differs(d, SETTINGS_AT_POOL_request_slow))
		conf_draft_warn(d, SETTINGS_AT_POOL_request_slow, "is never said: the worker is ended before that (below request.timeout)");
	check_order(d, SETTINGS_AT_POOL_workers_min, SETTINGS_AT_POOL_workers_max);
	check_order(d, SETTINGS_AT_POOL_restart_delay, SETTINGS_AT_POOL_restart_max_delay);
	check_queue(d);
}

static void check_command(struct conf_draft *d)
{
	const struct conf_node *n = d->nodes[SETTINGS_AT_POOL_command];

	if (d->set.command.count > 0)
		return;
	if (!conf_draft_given(d, SETTINGS_AT_POOL_command))
		conf_error(d->job->report, d->pool->node->key_place, "pools.%s: no command (such as command: [/usr/bin/php-cgi])", d->pool->name);
	else if (n->first == NULL && (n->shape == CONF_LIST || conf_node_is_empty(n)))
		conf_draft_error(d, SETTINGS_AT_POOL_command, "an empty list (such as [/usr/bin/php-cgi])");
}

static void make_process(struct conf_draft *d)
{
	const struct pool_settings *s = &d->set;
	struct spec_pool *p = &d->spec;

	p->environment_file = s->environment_file;
	p->chroot = s->chroot;
	p->directory = s->directory;
	p->umask = (uint32_t)s->umask;
	p->limits[SPEC_LIMIT_NOFILE] = conf_limit_of(s->limits_nofile);
	p->limits[SPEC_LIMIT_NPROC] = conf_limit_of(s->limits_nproc);
	p->limits[SPEC_LIMIT_CORE] = s->limits_core;
	p->limits[SPEC_LIMIT_AS] = conf_limit_of(s->limits_as);
	p->limits[SPEC_LIMIT_CPU] = conf_limit_of((uint64_t)(s->limits_cpu + 999) / 1000);
	p->nice = s->priority_nice;
	p->capabilities = settings_capability_bits(&s->sandbox_capabilities);
	p->no_new_privileges = s->sandbox_no_new_privileges;
	p->max_workers = s->workers_max;
	p->stop_signal = s->stop_signal;
	p->busy_signal = s->stop_busy_signal;
	p->stop_timeout_ms = (uint64_t)s->stop_timeout;
	p->output_path = s->output[0] == '/' ? s->output : "";
	p->output = s->output[0] == '/' ? SPEC_OUTPUT_FILE : strcmp(s->output, "null") == 0 ? SPEC_OUTPUT_NULL : SPEC_OUTPUT_LOG;
}

static int make_argv(struct conf_draft *d)
{
	const struct settings_list *l = &d->set.command;

	d->spec.argv = fp_arena_alloc(&d->scratch, (l->count + 1) * sizeof(char *));
	if (d->spec.argv == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < l->count; i++)
		d->spec.argv[i] = l->items[i];
	return 0;
}

/* Steps that the ordinary user's launcher cannot do: said here, and the look at the pool will fail it. */
static void warn_ordinary(const struct conf_draft *d)
{
	if (!d->job->world->ordinary)
		return;
	if (d->set.chroot[0] != '\0')
		conf_draft_warn(d, SETTINGS_AT_POOL_chroot, "needs root (the pool will not start)");
	if (d->set.sandbox_capabilities.count > 0)
		conf_draft_warn(d, SETTINGS_AT_POOL_sandbox_capabilities, "needs root (the pool will not start)");
}

static void check_floors(struct conf_draft *d)
{
	const struct spec_floors f = conf_job_floors(d->job);
	struct fp_err err = {0};

	if (spec_check_floors(&d->spec, &f, &err) < 0)
		conf_error(d->job->report, d->pool->node->key_place, "pools.%s: %s (no pool may have that)", d->pool->name, err.text);
}

static void encode_spec(struct wire_wr *w, const void *p)
{
	spec_pool_encode(w, p);
}

static void encode_settings(struct wire_wr *w, const void *s)
{
	settings_pool_encode(w, s);
}

static void note_places(struct conf_draft *d)
{
	static const enum settings_pool_index rows[SPEC_ORIGIN_COUNT] = {
		[SPEC_ORIGIN_COMMAND] = SETTINGS_AT_POOL_command,
		[SPEC_ORIGIN_USER] = SETTINGS_AT_POOL_user,
		[SPEC_ORIGIN_CHROOT] = SETTINGS_AT_POOL_chroot,
		[SPEC_ORIGIN_DIRECTORY] = SETTINGS_AT_POOL_directory,
		[SPEC_ORIGIN_LISTEN] = SETTINGS_AT_POOL_listen,
		[SPEC_ORIGIN_OUTPUT] = SETTINGS_AT_POOL_output,
		[SPEC_ORIGIN_ENVIRONMENT_FILE] = SETTINGS_AT_POOL_environment_file,
	};

	for (int i = 0; i < SPEC_ORIGIN_COUNT; i++)
		d->pool->entry.places[i] = conf_draft_place(d, rows[i]);
	d->pool->entry.places[SPEC_ORIGIN_POOL] = d->pool->node->key_place;
}

static void finish(struct conf_draft *d)
{
	struct conf_pool *p = d->pool;

	p->uid = d->set.uid;
	p->workers_min = d->set.workers_min;
	p->entry.name = p->name;
	note_places(d);
	if (d->job->report->raised > d->raised_before)
		return;
	p->entry.pool = conf_encode(d->job, encode_spec, &d->spec);
	p->entry.settings = conf_encode(d->job, encode_settings, &d->set);
	if (p->entry.pool.at == NULL || p->entry.settings.at == NULL)
		conf_error(d->job->report, p->node->key_place, "pools.%s: too large, or out of memory", p->name);
	if (p->entry.settings.len > SPEC_SETTINGS_MAX)
		conf_error(d->job->report, p->node->key_place, "pools.%s: too long: its lists take %zu bytes of %d (name a @group instead of many users)",
			   p->name, p->entry.settings.len, SPEC_SETTINGS_MAX);
	if (d->job->want_dump)
		settings_dump(&p->dump, &settings_pool_table, &d->set, 4, d->job->secrets);
}

static void judge(struct conf_draft *d)
{
	check_command(d);
	check_life(d);
	conf_draft_accounts(d);
	conf_draft_socket(d);
	warn_ordinary(d);
	make_process(d);
	if (make_argv(d) < 0 || conf_draft_environment(d) < 0 || settings_put_text(&d->set.name, d->pool->name) < 0)
		conf_error(d->job->report, d->pool->node->key_place, "out of memory");
	else if (d->job->report->raised == 0) /* what is below a floor has been said in better words */
		check_floors(d);
	finish(d);
}

void conf_judge_pool(struct conf_job *j, struct conf_pool *p)
{
	char path[CONF_PATH_MAX];
	struct fp_text t = FP_TEXT(path);
	struct conf_draft d = {.job = j, .pool = p, .raised_before = j->report->raised};
	const struct conf_section s = {j->report, &settings_pool_table, &d.set, d.places, path, d.nodes};

	fp_text_add(&t, "pools.%s", p->name);
	memcpy(d.places, j->default_places, sizeof(d.places));
	memcpy(d.nodes, j->default_nodes, sizeof(d.nodes));
	d.spec.name = p->name;
	if (settings_pool_copy(&j->defaults, &d.set) < 0) {
		conf_error(j->report, p->node->key_place, "out of memory");
	} else {
		conf_section_apply(&s, p->node);
		judge(&d);
	}
	p->bad = j->report->raised > d.raised_before;
	settings_pool_free(&d.set);
	fp_arena_fini(&d.scratch);
}
