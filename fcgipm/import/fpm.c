/* php-fpm's configuration as a pools.yaml (command line). */
#include "fcgipm/import/fpm.h"

#include <string.h>

enum { WORKERS_USUAL = 512 };

/* $pool stands for the pool's name, as it was.  NULL: too long. */
static const char *expand(struct fpm *f, const char *text)
{
	static const char token[] = "$pool";
	char buf[FPM_LINE_MAX + 1];
	struct fp_text t = FP_TEXT(buf);
	const char *found = text != NULL && f->pool != NULL ? strstr(text, token) : NULL;

	if (found == NULL)
		return text;
	for (; found != NULL; found = strstr(text, token)) {
		fp_text_add_bytes(&t, text, (size_t)(found - text));
		fp_text_add_bytes(&t, f->pool->name, strlen(f->pool->name));
		text = found + strlen(token);
	}
	fp_text_add_bytes(&t, text, strlen(text));
	return t.cut ? NULL : keep_text(&f->draft.keep, t.at, t.len);
}

static void carry_value(struct fpm *f, struct fpm_value *v)
{
	f->draft.at = v->at;
	if (v->ini.index == NULL && fpm_find(f->pool != NULL ? f->pool : &f->global, v->row->name) != v)
		return; /* given again */
	v->ini.value = expand(f, v->ini.value);
	v->ini.raw = expand(f, v->ini.raw);
	if (v->ini.value == NULL || v->ini.raw == NULL)
		draft_lost(&f->draft, v->row->key, "too long with the pool's name in it");
	else if (v->row->text != NULL)
		draft_lost(&f->draft, v->row->key, "%s", v->row->text);
	else if (v->ini.computed && v->row->take != fpm_take_php)
		draft_lost(&f->draft, v->row->key, "an expression; only values of PHP may be one (quote it if it is none)");
	else if (v->ini.asks_environment && v->ini.index == NULL)
		draft_lost(&f->draft, v->row->key, "a variable of php-fpm's own environment");
	else
		v->row->take(f, v);
}

static void carry_pool(struct fpm *f, const struct fpm_scope *s)
{
	f->draft.at = s->at;
	if (!draft_pool_begin(&f->draft, s->name))
		return;
	f->pool = s;
	if (strcmp(f->draft.part->name, s->name) != 0)
		draft_note(&f->draft, NULL, "pool %.64s has the name %s now", s->name, f->draft.part->name);
	fpm_php_begin(f);
	for (struct fpm_value *v = s->values; v != NULL; v = v->next)
		carry_value(f, v);
	fpm_php_end(f);
	f->pool = NULL;
}

/* As php-fpm: where nothing bounds the sum, every pool reaches its own bound. */
static void carry_total(struct fpm *f)
{
	f->draft.part = &f->draft.manager;
	f->draft.at = (struct draft_at){.what = ""};
	if (draft_given(f->draft.part, "max_workers") || f->all_children <= WORKERS_USUAL)
		return;
	if (draft_set(&f->draft, "max_workers", keep_printf(&f->draft.keep, "%llu", (unsigned long long)f->all_children)))
		draft_hint(&f->draft, "max_workers is the sum of every pool's workers.max: php-fpm had no bound on the whole.");
}

static void say_what_differs(struct fpm *f)
{
	f->draft.part = NULL;
	f->draft.at = (struct draft_at){.what = ""};
	draft_hint(&f->draft, "Workers are php-cgi, not php-fpm; it is in a package of its own (php-cgi), and has what is installed of extensions for it.");
	draft_hint(&f->draft,
		   "php-fpm runs .php and .phar alone (security.limit_extensions); php-cgi runs what SCRIPT_FILENAME names: let the web server pass");
	draft_hint(&f->draft, "these extensions alone, and only files that exist.");
	draft_hint(&f->draft,
		   "php-fpm's workers share one opcache; those of php-cgi have one each, unless they are forked from one that has booted (workers.start).");
	draft_hint(&f->draft, "mail() by a sendmail that is setgid (postfix, exim) needs sandbox: {no_new_privileges: false}.");
}

/* systemd starts php-fpm so. */
static void set_umask(struct fpm *f)
{
	f->draft.part = &f->draft.defaults;
	draft_hint(&f->draft, "Workers of php-fpm have its own umask.");
	draft_set(&f->draft, "umask", "0022");
}

void fpm_carry(struct fpm *f)
{
	if (f->pools != NULL) {
		say_what_differs(f);
		set_umask(f);
	}
	for (struct fpm_value *v = f->global.values; v != NULL; v = v->next) {
		f->draft.part = &f->draft.defaults;
		if (v->row->take == NULL)
			f->draft.part = NULL;
		carry_value(f, v);
	}
	for (const struct fpm_scope *s = f->pools; s != NULL; s = s->next)
		carry_pool(f, s);
	carry_total(f);
}
