/* php-cgi in the place of php-fpm's workers: its command line and environment (command line). */
#include "fcgipm/import/fpm.h"

#include <ctype.h>
#include <string.h>

/* "8.2" of a file below /etc/php/8.2/fpm/, where Debian has it; "" elsewhere. */
static const char *version_of(struct fpm *f, const char *file)
{
	static const char before[] = "/etc/php/", after[] = "/fpm/";
	size_t len;

	if (strncmp(file, before, strlen(before)) != 0)
		return "";
	file += strlen(before);
	len = strspn(file, "0123456789.");
	return strncmp(file + len, after, strlen(after)) == 0 ? keep_text(&f->draft.keep, file, len) : "";
}

static void add_ini(struct fpm *f, const char *version)
{
	struct draft *d = &f->draft;

	if (version[0] == '\0')
		return;
	if (fpm_find(f->pool, "chroot") != NULL) {
		draft_note(d, "command", "php-cgi reads its php.ini inside the chroot; php-fpm read /etc/php/%s/fpm/php.ini outside", version);
		return;
	}
	draft_add(d, "command", "-c");
	draft_add(d, "command", keep_printf(&d->keep, "/etc/php/%s/fpm/php.ini", version));
	draft_add(d, "environment", keep_printf(&d->keep, "PHP_INI_SCAN_DIR=/etc/php/%s/fpm/conf.d", version));
}

void fpm_php_begin(struct fpm *f)
{
	struct draft *d = &f->draft;
	const char *version = version_of(f, f->pool->at.file), *program = f->source->php_cgi;

	if (program == NULL)
		program = keep_printf(&d->keep, "/usr/bin/php-cgi%s", version);
	draft_add(d, "command", program);
	add_ini(f, version);
	if (fpm_find(f->pool, "chroot") != NULL)
		draft_note(d, "command", "the workers of php-fpm came from outside of the chroot; php-cgi and its libraries must be inside");
}

/* ---- requests ---- */

/* php-cgi ends after PHP_FCGI_MAX_REQUESTS, 500 where it is not told. */
static void set_max_requests(struct fpm *f, const char *count)
{
	draft_add(&f->draft, "environment", keep_printf(&f->draft.keep, "PHP_FCGI_MAX_REQUESTS=%s", count));
}

void fpm_take_max_requests(struct fpm *f, const struct fpm_value *v)
{
	if (v->ini.value[0] == '\0' || v->ini.value[strspn(v->ini.value, "0123456789")] != '\0')
		draft_lost(&f->draft, v->row->key, "not a number");
	else if (draft_set(&f->draft, v->row->key, v->ini.value))
		return;
	else
		draft_note(&f->draft, "environment", "php-cgi itself ends after PHP_FCGI_MAX_REQUESTS");
	set_max_requests(f, v->ini.value);
}

void fpm_php_end(struct fpm *f)
{
	const struct settings_list *environment = &f->draft.part->set.pool.environment;
	static const char name[] = "PHP_FCGI_MAX_REQUESTS=";

	f->draft.at = (struct draft_at){.what = ""};
	draft_set(&f->draft, "stop.busy_signal", "USR1"); /* php-cgi finishes its request */
	for (uint32_t i = 0; i < environment->count; i++)
		if (strncmp(environment->items[i], name, strlen(name)) == 0)
			return;
	set_max_requests(f, "0");
}

/* ---- php_value and the like: -d NAME=VALUE ---- */

/* php-cgi reads what stands behind the = as a line of php.ini if it begins with a letter, a digit or a quote, and puts it between double quotes
 * otherwise (sapi/cgi/cgi_main.c). */
static bool is_plain(const char *raw)
{
	return isalnum((unsigned char)raw[0]) && raw[strspn(raw, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,@%+- ")] == '\0';
}

static const char *quoted(struct keep *k, const char *value)
{
	char *text = keep_alloc(k, 2 * strlen(value) + 3), *to = text;

	if (text == NULL)
		return "";
	*to++ = '"';
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			*to++ = '\\';
		*to++ = *value;
	}
	*to = '"';
	return text;
}

/* NULL: it cannot be said in one argument. */
static const char *argument(struct keep *k, const struct ini_line *line)
{
	if (line->asks_environment)
		return NULL;
	if (line->computed)
		return isalnum((unsigned char)line->raw[0]) ? line->raw : NULL;
	if (is_plain(line->raw))
		return line->raw;
	if (strstr(line->value, "${") == NULL)
		return quoted(k, line->value);
	return strchr(line->value, '\'') == NULL ? keep_printf(k, "'%s'", line->value) : NULL;
}

static bool ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && strcmp(text + len - n, end) == 0;
}

void fpm_take_php(struct fpm *f, const struct fpm_value *v)
{
	struct draft *d = &f->draft;
	const char *name = v->ini.index != NULL ? v->ini.index : "", *value = argument(&d->keep, &v->ini);

	if (ends_in(v->row->name, "_flag"))
		value = strcmp(v->ini.value, "1") == 0 ? "1" : "0";
	if (name[0] == '\0' || strpbrk(name, "= ") != NULL || value == NULL) {
		draft_lost(d, v->row->key, "it cannot be said as -d NAME=VALUE; put it into the php.ini of the pool (php-cgi -c FILE)");
		return;
	}
	if (!draft_add(d, "command", "-d") || !draft_add(d, "command", keep_printf(&d->keep, "%s=%s", name, value)))
		return;
	if (strstr(v->row->name, "admin") != NULL)
		draft_note(d, v->row->key, "as an argument of php-cgi it holds, but a script may change it with ini_set() where PHP lets it");
}
