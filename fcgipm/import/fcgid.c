/* mod_fcgid's directives as a pools.yaml (command line).  A wrapper, and any other command, is a pool of its server: mod_fcgid's processes are
 * apart by command and virtual host too. */
#include "fcgipm/import/fcgid.h"

#include <string.h>

/* What mod_fcgid does where nothing is said (fcgid_conf.c).  It starts nothing before the first request. */
static const char *const usual[][2] = {
	{"umask", "0022"}, {"workers.min", "0"}, {"workers.max", "100"}, {"workers.spare", "0"}, {"workers.idle_timeout", "5m"}, {"workers.max_lifetime", "1h"},
};

static void carry_keys(struct fcgid *f, const struct fcgid_server *s)
{
	for (size_t i = 0; i < fcgid_table.count; i++) {
		const struct fcgid_value *v = s->latest[i];

		if (v == NULL)
			continue;
		f->draft.at = v->at;
		v->row->take(f, v);
	}
}

static void carry_defaults(struct fcgid *f)
{
	f->draft.part = &f->draft.defaults;
	f->draft.at = (struct draft_at){.what = ""};
	draft_hint(&f->draft, "mod_fcgid's own, where the files say nothing:");
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		draft_set(&f->draft, usual[i][0], usual[i][1]);
	carry_keys(f, &f->main);
}

/* NAME VALUE */
static void carry_environment(struct fcgid *f, const struct fcgid_server *s)
{
	for (const struct fcgid_value *v = s->values; v != NULL; v = v->next) {
		if (v->row->use != FCGID_ENVIRONMENT)
			continue;
		f->draft.at = v->at;
		draft_add(&f->draft, v->row->key, keep_printf(&f->draft.keep, "%s=%s", v->words[0], v->count > 1 ? v->words[1] : ""));
	}
}

/* ---- FcgidCmdOptions COMMAND OPTION VALUE... ---- */

static void carry_option(struct fcgid *f, const struct fcgid_row *row, const char *name, const char *value)
{
	const struct fcgid_value v = {.row = row, .at = f->draft.at, .words = &value, .count = 1};

	if (row == NULL)
		draft_bad(&f->draft, "no option %.64s is known here", name);
	else if (row->use == FCGID_LOST)
		draft_lost(&f->draft, row->key, "%s: %s", name, row->text);
	else if (row->use == FCGID_KEY)
		row->take(f, &v);
	else
		draft_add(&f->draft, row->key, strchr(value, '=') != NULL ? value : keep_printf(&f->draft.keep, "%s=", value));
}

static void carry_options(struct fcgid *f, const struct fcgid_server *s, const char *command)
{
	for (const struct fcgid_value *v = s->values; v != NULL; v = v->next) {
		if (v->row->use != FCGID_OPTIONS || strcmp(v->words[0], command) != 0)
			continue;
		f->draft.at = v->at;
		for (unsigned i = 1; i + 1 < v->count; i += 2)
			carry_option(f, fcgid_row_of(&fcgid_option_table, v->words[i]), v->words[i], v->words[i + 1]);
		draft_note(&f->draft, NULL, "what is not named here is as everywhere; mod_fcgid takes its own defaults for this command");
	}
}

/* ---- a command ---- */

static const char *name_of(struct fcgid *f, const struct fcgid_server *s, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len;

	if (s->name != NULL && s != &f->main)
		return s->name;
	path = slash != NULL ? slash + 1 : path;
	path += strspn(path, ".");
	len = strcspn(path, ".");
	return keep_text(&f->draft.keep, path, len);
}

static void carry_account(struct fcgid *f, const struct fcgid_server *s)
{
	const char *user = s->user != NULL ? s->user : f->main.user, *group = s->user != NULL ? s->group : f->main.group;

	if (user == NULL) {
		draft_note(&f->draft, "user", "no file says as whom httpd runs; www-data is Debian's");
		user = "www-data";
	}
	draft_set(&f->draft, "user", user + (user[0] == '#'));
	if (group != NULL)
		draft_set(&f->draft, "group", group + (group[0] == '#'));
}

static void hint_wrapper(struct fcgid *f, const struct fcgid_value *v)
{
	const char *name = f->draft.part->name, *files = "";

	if (v->count > 1 && v->words[1][0] == '.')
		files = keep_printf(&f->draft.keep, ", <FilesMatch \\%s$>", v->words[1]);
	draft_hint(&f->draft, "httpd%s%s%s: SetHandler \"fcgipm:%s\" with mod_fcgipm, or", v->within[0] != '\0' ? ", " : "", v->within, files, name);
	draft_hint(&f->draft, "  SetHandler \"proxy:unix:/run/fcgipm/pools/%s.sock|fcgi://%s\" with mod_proxy_fcgi", name, name);
}

static void hint_role(struct fcgid *f, const struct fcgid_value *v)
{
	draft_hint(&f->draft, "httpd%s%s: %s%s with mod_fcgipm", v->within[0] != '\0' ? ", " : "", v->within, v->row->text, f->draft.part->name);
}

/* A command is one word of httpd's, with words of its own. */
static void carry_command(struct fcgid *f, const struct fcgid_server *s, const struct fcgid_value *v)
{
	const char *words[HTTPD_WORDS_MAX];
	int n = httpd_words(&f->draft.keep, v->words[0], words, HTTPD_WORDS_MAX);

	f->draft.at = v->at;
	f->draft.part = NULL;
	if (n <= 0) {
		draft_bad(&f->draft, "no command");
		return;
	}
	if (!draft_pool_begin(&f->draft, name_of(f, s, words[0])))
		return;
	if (v->row->use == FCGID_OPTIONS)
		draft_hint(&f->draft, "httpd: SetHandler \"fcgipm:%s\" with mod_fcgipm, where %.200s is asked for", f->draft.part->name, words[0]);
	else if (v->row->text != NULL)
		hint_role(f, v);
	else
		hint_wrapper(f, v);
	for (int i = 0; i < n; i++)
		draft_add(&f->draft, "command", words[i]);
	carry_account(f, s);
	carry_environment(f, &f->main);
	if (s != &f->main) {
		carry_environment(f, s);
		carry_keys(f, s);
	}
	carry_options(f, s, words[0]);
}

/* ---- all of them ---- */

/* The options of a command that another directive runs are no command of their own. */
static bool is_run(const struct fcgid_server *s, const char *path)
{
	size_t len = strlen(path);

	for (const struct fcgid_value *v = s->values; v != NULL; v = v->next) {
		const char *command = v->words[0] + (v->words[0][0] == '"');

		if (v->row->use == FCGID_COMMAND && strncmp(command, path, len) == 0 && (command[len] == '\0' || strchr(" \t\"", command[len]) != NULL))
			return true;
	}
	return false;
}

static bool is_first(const struct fcgid_server *s, const struct fcgid_value *v)
{
	for (const struct fcgid_value *x = s->values; x != v; x = x->next)
		if (x->row == v->row && strcmp(x->words[0], v->words[0]) == 0)
			return false;
	return true;
}

static void carry_server(struct fcgid *f, const struct fcgid_server *s)
{
	for (const struct fcgid_value *v = s->values; v != NULL; v = v->next) {
		if (v->row->use == FCGID_COMMAND && is_first(s, v))
			carry_command(f, s, v);
		else if (v->row->use == FCGID_OPTIONS && is_first(s, v) && !is_run(s, v->words[0]))
			carry_command(f, s, v);
	}
}

/* Of a virtual host without a command: nothing else would say so. */
static void say_unused(struct fcgid *f, const struct fcgid_server *s)
{
	for (const struct fcgid_value *v = s->values; v != NULL; v = v->next)
		if (v->row->use == FCGID_COMMAND || v->row->use == FCGID_OPTIONS)
			return;
	f->draft.part = NULL;
	for (size_t i = 0; i < fcgid_table.count; i++) {
		if (s->latest[i] == NULL)
			continue;
		f->draft.at = s->latest[i]->at;
		draft_lost(&f->draft, NULL, "a virtual host without a command of its own");
	}
}

void fcgid_carry(struct fcgid *f)
{
	carry_defaults(f);
	carry_server(f, &f->main);
	for (const struct fcgid_server *s = f->main.next; s != NULL; s = s->next) {
		carry_server(f, s);
		say_unused(f, s);
	}
}
