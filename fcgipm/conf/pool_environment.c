/* A pool's environment (conf process).  A finding must never show a value: it may be a secret. */
#include "fcgipm/conf/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* At the name, which a pool may have from defaults although it gives others itself. */
static void warn_name(const struct conf_draft *d, enum settings_pool_index i, const char *name, const char *text)
{
	const struct spec_place nowhere = {0};
	struct spec_place place = conf_item_place(d->nodes[i], name, nowhere);
	char path[CONF_PATH_MAX];
	struct fp_text t = FP_TEXT(path);

	if (place.line == 0 || conf_draft_inherited(d, i)) {
		place = conf_item_place(d->job->default_nodes[i], name, nowhere);
		fp_text_add(&t, "defaults");
	} else {
		fp_text_add(&t, "pools.%s", d->pool->name);
	}
	if (place.line == 0) /* longer than anybody's */
		place = conf_draft_place(d, i);
	conf_warn_once(d->job->report, place, "%s.%s.%.64s: %s", path, settings_pool_table.rows[i].key, name, text);
}

/* What POSIX says of names, and environment_file demands. */
static bool is_portable(const char *name)
{
	static const char digits[] = "0123456789";
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

	return strchr(digits, name[0]) == NULL && name[strspn(name, chars)] == '\0';
}

/* Every part of a PATH begins with a slash; an empty one is the working directory. */
static bool is_absolute(const char *path)
{
	for (const char *part = path; part != NULL; part = strchr(part, ':') != NULL ? strchr(part, ':') + 1 : NULL)
		if (part[0] != '/')
			return false;
	return true;
}

const char *conf_variable_doubt(const char *variable)
{
	char name[256] = "";
	struct fp_text t = FP_TEXT(name);
	size_t len = strcspn(variable, "=");

	fp_text_add_bytes(&t, variable, len);
	if (!is_portable(name))
		return "a name that shells and most languages cannot read (letters, digits and _, no digit first)";
	if (strcmp(name, "PATH") == 0 && variable[len] == '=' && !is_absolute(variable + len + 1))
		return "a part is not absolute, so programs are looked for in the working directory, too (absolute directories alone)";
	if (strcmp(name, "PHP_FCGI_CHILDREN") == 0 && variable[len] == '=' && strtoul(variable + len + 1, NULL, 10) > 0)
		return "php-cgi forks workers of its own, which fcgipm neither counts nor scales (leave it unset)";
	return NULL;
}

static void warn_names(const struct conf_draft *d, enum settings_pool_index i, const struct settings_list *l)
{
	for (uint32_t k = 0; k < l->count; k++) {
		const char *doubt = conf_variable_doubt(l->items[k]);
		char name[256] = "";
		struct fp_text t = FP_TEXT(name);

		fp_text_add_bytes(&t, l->items[k], strcspn(l->items[k], "="));
		if (doubt != NULL)
			warn_name(d, i, name, doubt);
	}
}

static const char *own_value(const struct conf_world *w, const char *name)
{
	size_t len = strlen(name);

	for (char *const *e = w->environment; e != NULL && *e != NULL; e++)
		if (strncmp(*e, name, len) == 0 && (*e)[len] == '=')
			return *e;
	return NULL;
}

/* PATH, then what is inherited, then what is given: the later wins. */
int conf_draft_environment(struct conf_draft *d)
{
	const struct settings_row *env = &settings_pool_table.rows[SETTINGS_AT_POOL_environment];
	struct pool_settings whole = {0};
	const struct settings_list *l = &whole.environment;
	int r = settings_add(&whole, env, "PATH=/usr/local/bin:/usr/bin:/bin", NULL);

	warn_names(d, SETTINGS_AT_POOL_environment, &d->set.environment);
	warn_names(d, SETTINGS_AT_POOL_inherit_environment, &d->set.inherit_environment);
	for (uint32_t i = 0; i < d->set.inherit_environment.count && r == 0; i++) {
		const char *e = own_value(d->job->world, d->set.inherit_environment.items[i]);

		if (e != NULL)
			r = settings_add(&whole, env, e, NULL);
	}
	for (uint32_t i = 0; i < d->set.environment.count && r == 0; i++)
		r = settings_add(&whole, env, d->set.environment.items[i], NULL);
	d->spec.envp = fp_arena_alloc(&d->scratch, (l->count + 1) * sizeof(char *));
	for (uint32_t i = 0; i < l->count && d->spec.envp != NULL; i++)
		d->spec.envp[i] = fp_arena_copy(&d->scratch, l->items[i], strlen(l->items[i]));
	d->set.environment.hash = settings_list_hash(l);
	settings_clear(&whole, env);
	return d->spec.envp == NULL ? -ENOMEM : r;
}
