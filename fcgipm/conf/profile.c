/* One profile of the exec broker: from the settings that the file gives it to the spec that the launcher goes by (conf process).  It asks for no more than
 * the launcher's floors allow, and says so here, with line and column. */
#include "fcgipm/conf/profile.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static const struct settings_row *row(enum settings_profile_index i)
{
	return &settings_profile_table.rows[i];
}

bool conf_profile_given(const struct conf_profile_draft *d, enum settings_profile_index i)
{
	return d->places[i].line != 0;
}

struct spec_place conf_profile_place(const struct conf_profile_draft *d, enum settings_profile_index i)
{
	return conf_profile_given(d, i) ? d->places[i] : d->profile->node->key_place;
}

void conf_profile_key(const struct conf_profile_draft *d, enum settings_profile_index i, char (*ret)[CONF_PATH_MAX])
{
	struct fp_text t = FP_TEXT(*ret);

	fp_text_add(&t, "exec.%s.%s", d->profile->name, row(i)->key);
}

static void add_finding(const struct conf_profile_draft *d, bool warning, enum settings_profile_index i, const char *fmt, va_list ap)
{
	char key[CONF_PATH_MAX], text[CONF_TEXT_MAX];
	struct fp_text t = FP_TEXT(text);

	fp_text_vadd(&t, fmt, ap);
	conf_profile_key(d, i, &key);
	(warning ? conf_warn : conf_error)(d->job->report, conf_profile_place(d, i), "%s: %s", key, text);
}

void conf_profile_error(const struct conf_profile_draft *d, enum settings_profile_index i, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_finding(d, false, i, fmt, ap);
	va_end(ap);
}

void conf_profile_warn(const struct conf_profile_draft *d, enum settings_profile_index i, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_finding(d, true, i, fmt, ap);
	va_end(ap);
}

static void check_roots(const struct conf_profile_draft *d)
{
	const struct conf_node *n = d->nodes[SETTINGS_AT_PROFILE_roots];

	if (d->set.roots.count > 0)
		return;
	if (!conf_profile_given(d, SETTINGS_AT_PROFILE_roots))
		conf_error(d->job->report, d->profile->node->key_place, "exec.%s: no roots (where the programs are, such as roots: [/usr/lib/cgi-bin])",
			   d->profile->name);
	else if (n->first == NULL && (n->shape == CONF_LIST || conf_node_is_empty(n)))
		conf_profile_error(d, SETTINGS_AT_PROFILE_roots, "an empty list (such as [/usr/lib/cgi-bin])");
}

/* Steps that the ordinary user's launcher cannot do. */
static void warn_ordinary(const struct conf_profile_draft *d)
{
	if (!d->job->world->ordinary)
		return;
	if (d->set.chroot[0] != '\0')
		conf_profile_warn(d, SETTINGS_AT_PROFILE_chroot, "needs root (no program will run)");
	if (d->set.sandbox_capabilities.count > 0)
		conf_profile_warn(d, SETTINGS_AT_PROFILE_sandbox_capabilities, "needs root (no program will run)");
}

/* ---- environment ---- */

/* A finding must never show a value: it may be a secret. */
static void check_variable(const struct conf_profile_draft *d, const char *pair)
{
	const char *doubt = conf_variable_doubt(pair);
	char name[256] = "";
	struct fp_text t = FP_TEXT(name);
	struct spec_place place;

	fp_text_add_bytes(&t, pair, strcspn(pair, "="));
	place = conf_item_place(d->nodes[SETTINGS_AT_PROFILE_environment], name, conf_profile_place(d, SETTINGS_AT_PROFILE_environment));
	if (strncmp(name, "LD_", 3) == 0)
		conf_error(d->job->report, place, "exec.%s.environment.%.64s: the loader's (no profile may set that)", d->profile->name, name);
	else if (doubt != NULL)
		conf_warn(d->job->report, place, "exec.%s.environment.%.64s: %s", d->profile->name, name, doubt);
}

/* PATH, then what is given: the later wins. */
static int make_environment(struct conf_profile_draft *d)
{
	const struct settings_row *environment = row(SETTINGS_AT_PROFILE_environment);
	struct profile_settings whole = {0};
	const struct settings_list *l = &whole.environment, *given = &d->set.environment;
	int r = settings_add(&whole, environment, "PATH=/usr/local/bin:/usr/bin:/bin", NULL);

	for (uint32_t i = 0; i < given->count && r == 0; i++) {
		check_variable(d, given->items[i]);
		r = settings_add(&whole, environment, given->items[i], NULL);
	}
	d->spec.envp = fp_arena_alloc(&d->scratch, (l->count + 1) * sizeof(char *));
	for (uint32_t i = 0; i < l->count && d->spec.envp != NULL; i++)
		d->spec.envp[i] = fp_arena_copy(&d->scratch, l->items[i], strlen(l->items[i]));
	settings_clear(&whole, environment);
	if (r == -E2BIG)
		conf_profile_error(d, SETTINGS_AT_PROFILE_environment, "too many of them (4096 at most, PATH among them)");
	return d->spec.envp == NULL || r == -ENOMEM ? -ENOMEM : 0;
}

/* ---- the spec ---- */

static int make_texts(struct conf_profile_draft *d, const struct settings_list *l, const char ***ret)
{
	const char **texts = fp_arena_alloc(&d->scratch, (l->count + 1) * sizeof(*texts));

	if (texts == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < l->count; i++)
		texts[i] = l->items[i];
	*ret = texts;
	return 0;
}

static int make_lists(struct conf_profile_draft *d)
{
	if (make_texts(d, &d->set.roots, &d->spec.roots) < 0 || make_texts(d, &d->set.arguments_allow, &d->spec.arguments) < 0)
		return -ENOMEM;
	return make_texts(d, &d->set.environment_allow, &d->spec.allow);
}

static uint8_t file_owner_of(const char *text)
{
	static const char *const words[] = {
		[SPEC_FILE_OF_RUN] = "run",
		[SPEC_FILE_OF_ROOT] = "root",
		[SPEC_FILE_OF_RUN_OR_ROOT] = "run_or_root",
		[SPEC_FILE_OF_ANY] = "any",
	};

	for (uint8_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i], text) == 0)
			return i;
	return SPEC_FILE_OF_RUN; /* the strictest */
}

static void make_run(struct conf_profile_draft *d)
{
	const struct profile_settings *s = &d->set;
	struct spec_profile *p = &d->spec;

	p->max_arguments = s->arguments_max;
	p->file_owner = file_owner_of(s->file_owner);
	p->file_group = strcmp(s->file_group, "run") == 0;
	p->worker_clients = s->worker_clients;
	p->outlives_client = s->outlives_client;
	p->leaves_descendants = s->leaves_descendants;
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
	p->timeout_ms = (uint64_t)s->timeout;
	p->stop_timeout_ms = (uint64_t)s->stop_timeout;
	p->max_running = s->max_running;
	p->queue_limit = s->queue_limit;
}

static void check_floors(const struct conf_profile_draft *d)
{
	const struct spec_floors f = conf_job_floors(d->job);
	struct fp_err err = {0};

	if (spec_check_profile_floors(&d->spec, &f, &err) < 0)
		conf_error(d->job->report, d->profile->node->key_place, "exec.%s: %s (no profile may have that)", d->profile->name, err.text);
}

static void encode_spec(struct wire_wr *w, const void *p)
{
	spec_profile_encode(w, p);
}

/* What the launcher would refuse to read, such as a variable longer than any program could get, is said here. */
static void finish(struct conf_profile_draft *d)
{
	struct conf_profile *p = d->profile;
	struct spec_profile again = {0};
	struct fp_err err = {0};

	if (d->job->report->raised > d->raised_before)
		return;
	p->blob = conf_encode(d->job, encode_spec, &d->spec);
	if (p->blob.at == NULL)
		conf_error(d->job->report, p->node->key_place, "exec.%s: too large, or out of memory", p->name);
	else if (spec_profile_decode(p->blob, &again, &err) < 0)
		conf_error(d->job->report, p->node->key_place, "exec.%s: %s", p->name, err.text);
	spec_profile_free(&again);
	if (d->job->want_dump)
		settings_dump(&p->dump, &settings_profile_table, &d->set, 4, d->job->secrets);
}

static void judge(struct conf_profile_draft *d)
{
	check_roots(d);
	conf_profile_accounts(d);
	warn_ordinary(d);
	make_run(d);
	if (make_lists(d) < 0 || make_environment(d) < 0)
		conf_error(d->job->report, d->profile->node->key_place, "out of memory");
	else if (d->job->report->raised == 0) /* what is below a floor has been said in better words */
		check_floors(d);
	finish(d);
}

void conf_judge_profile(struct conf_job *j, struct conf_profile *p)
{
	char path[CONF_PATH_MAX];
	struct fp_text t = FP_TEXT(path);
	struct conf_profile_draft d = {.job = j, .profile = p, .raised_before = j->report->raised};
	const struct conf_section s = {j->report, &settings_profile_table, &d.set, d.places, path, d.nodes};

	fp_text_add(&t, "exec.%s", p->name);
	d.spec.name = p->name;
	if (settings_preset_all(&d.set, &settings_profile_table, NULL) < 0) {
		conf_error(j->report, p->node->key_place, "out of memory");
	} else {
		conf_section_apply(&s, p->node);
		judge(&d);
	}
	settings_profile_free(&d.set);
	fp_arena_fini(&d.scratch);
}
