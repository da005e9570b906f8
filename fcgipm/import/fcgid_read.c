/* httpd's files into servers and the directives of mod_fcgid in them (command line).  Of httpd's own directives it reads what a pool needs: whose
 * it is and where it belongs.  Conditions (IfModule, IfDefine) are taken to hold. */
#include "fcgipm/import/fcgid.h"

#include <string.h>
#include <strings.h>

enum { DEFINES_MAX = 1024 };

struct httpd_define {
	struct httpd_define *next;
	const char *name, *value;
};

/* ---- ${NAME} ---- */

static const char *defined(const struct fcgid *f, const char *name, size_t len)
{
	/* Of Debian's envvars. */
	static const struct httpd_define usual[] = {{NULL, "APACHE_RUN_USER", "www-data"}, {NULL, "APACHE_RUN_GROUP", "www-data"}};

	for (const struct httpd_define *d = f->defines; d != NULL; d = d->next)
		if (strlen(d->name) == len && memcmp(d->name, name, len) == 0)
			return d->value;
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (strlen(usual[i].name) == len && memcmp(usual[i].name, name, len) == 0)
			return usual[i].value;
	return NULL;
}

/* What is not defined stays as it is. */
static const char *expand(struct fcgid *f, const char *text)
{
	char buf[HTTPD_LINE_MAX + 1];
	struct fp_text t = FP_TEXT(buf);
	const char *open;

	if (strstr(text, "${") == NULL)
		return text;
	while ((open = strstr(text, "${")) != NULL) {
		size_t len = strcspn(open + 2, "}");
		const char *value = open[2 + len] == '}' ? defined(f, open + 2, len) : NULL;

		fp_text_add_bytes(&t, text, (size_t)(open - text));
		fp_text_add(&t, "%s", value != NULL ? value : "${");
		text = open + (value != NULL ? len + 3 : 2);
	}
	fp_text_add_bytes(&t, text, strlen(text));
	return keep_text(&f->draft.keep, t.at, t.len);
}

/* ---- httpd's own directives ---- */

struct words {
	const char *at[HTTPD_WORDS_MAX];
	unsigned count;
};

static void read_define(struct fcgid *f, const struct words *w)
{
	struct httpd_define *d = keep_alloc(&f->draft.keep, sizeof(*d));
	unsigned n = 0;

	for (const struct httpd_define *x = f->defines; x != NULL; x = x->next)
		n++;
	if (d == NULL || n >= DEFINES_MAX)
		return;
	*d = (struct httpd_define){.next = f->defines, .name = w->at[0], .value = w->count > 1 ? w->at[1] : ""};
	f->defines = d;
}

static void read_include(struct fcgid *f, const struct words *w)
{
	const char *pattern = w->at[0];

	if (pattern[0] != '/')
		pattern = keep_printf(&f->draft.keep, "%s/%s", f->root, pattern);
	reader_include(&f->reader, pattern);
}

static void read_root(struct fcgid *f, const struct words *w)
{
	f->root = w->at[0];
}

static void read_name(struct fcgid *f, const struct words *w)
{
	f->now->name = w->at[0];
}

static void read_user(struct fcgid *f, const struct words *w)
{
	if (!f->now->suexec)
		f->now->user = w->at[0];
}

static void read_group(struct fcgid *f, const struct words *w)
{
	if (!f->now->suexec)
		f->now->group = w->at[0];
}

static void read_suexec(struct fcgid *f, const struct words *w)
{
	f->now->user = w->at[0];
	f->now->group = w->count > 1 ? w->at[1] : NULL;
	f->now->suexec = true;
}

/* AddHandler fcgid-script .fcgi, SetHandler fcgid-script */
static void read_handler(struct fcgid *f, const struct words *w)
{
	if (strcasecmp(w->at[0], "fcgid-script") == 0)
		draft_lost(&f->draft, NULL,
			   "each program that it makes run needs a pool of its own (command: [/path/of/the/program]) and SetHandler 'fcgipm:NAME'");
}

static const struct {
	const char *name;
	void (*read)(struct fcgid *f, const struct words *w);
} own[] = {
	{"Define", read_define}, {"Include", read_include}, {"IncludeOptional", read_include}, {"ServerRoot", read_root},    {"ServerName", read_name},
	{"User", read_user},     {"Group", read_group},     {"SuexecUserGroup", read_suexec},  {"AddHandler", read_handler}, {"SetHandler", read_handler},
};

/* ---- lines ---- */

static void keep_value(struct fcgid *f, const struct fcgid_row *row, const struct words *w)
{
	struct fcgid_value *v = keep_alloc(&f->draft.keep, sizeof(*v));
	const char **words = keep_alloc(&f->draft.keep, w->count * sizeof(*words));

	if (v == NULL || words == NULL)
		return;
	memcpy(words, w->at, w->count * sizeof(*words));
	*v = (struct fcgid_value){.row = row, .at = f->draft.at, .words = words, .count = w->count, .within = f->within};
	if (row->use == FCGID_KEY) {
		f->now->latest[row - fcgid_table.rows] = v;
		return;
	}
	if (f->now->last != NULL)
		f->now->last->next = v;
	else
		f->now->values = v;
	f->now->last = v;
}

static void add_value(struct fcgid *f, const struct fcgid_row *row, const struct words *w)
{
	if (row->use == FCGID_LOST)
		draft_lost(&f->draft, row->key, "%s", row->text);
	else if (row->use == FCGID_ENVIRONMENT && f->now->variables++ >= FCGID_VARIABLES_MAX)
		draft_bad(&f->draft, "more than %d variables in one server", FCGID_VARIABLES_MAX);
	else if ((row->use == FCGID_COMMAND || row->use == FCGID_OPTIONS) && f->commands++ >= DRAFT_POOLS_MAX)
		draft_bad(&f->draft, "more than %d commands", DRAFT_POOLS_MAX);
	else
		keep_value(f, row, w);
}

/* An environment may be secret. */
static const char *shown(struct keep *k, const struct fcgid_row *row, const struct httpd_line *l)
{
	if (row != NULL && row->use == FCGID_ENVIRONMENT)
		return keep_printf(k, "%.64s %.*s", l->name, (int)strcspn(l->rest, " \t="), l->rest);
	if (row != NULL && row->use == FCGID_OPTIONS)
		return keep_printf(k, "%.64s %.*s", l->name, (int)strcspn(l->rest, " \t"), l->rest);
	return keep_printf(k, "%.64s %.120s", l->name, l->rest);
}

static int own_of(const char *name)
{
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcasecmp(own[i].name, name) == 0)
			return (int)i;
	return -1;
}

static void directive(struct fcgid *f, const struct httpd_line *l)
{
	const struct fcgid_row *row = fcgid_row_of(&fcgid_table, l->name);
	int i = own_of(l->name), n;
	struct words w;

	if (row == NULL && i < 0) {
		if (strncasecmp(l->name, "Fcgid", 5) == 0)
			draft_bad(&f->draft, "%.64s: not carried over: no directive of mod_fcgid that is known here", l->name);
		return;
	}
	if (!reader_count(&f->reader))
		return;
	f->draft.at.what = shown(&f->draft.keep, row, l);
	n = httpd_words(&f->draft.keep, expand(f, l->rest), w.at, HTTPD_WORDS_MAX);
	w.count = n > 0 ? (unsigned)n : 0;
	if (n == 0)
		draft_bad(&f->draft, "without an argument");
	else if (n < 0)
		draft_bad(&f->draft, "a quote that does not end, or more than %d words", HTTPD_WORDS_MAX);
	else if (row != NULL)
		add_value(f, row, &w);
	else
		own[i].read(f, &w);
}

static void open_section(struct fcgid *f, const struct httpd_line *l)
{
	struct fcgid_server *s;

	f->depth++;
	if (!reader_count(&f->reader))
		return;
	if (strcasecmp(l->name, "VirtualHost") != 0) {
		if (strncasecmp(l->name, "If", 2) != 0)
			f->within = keep_printf(&f->draft.keep, "<%.64s %.200s>", l->name, l->rest);
		return;
	}
	s = keep_alloc(&f->draft.keep, sizeof(*s));
	if (s == NULL)
		return;
	f->last_server->next = s;
	f->last_server = f->now = s;
}

static void close_section(struct fcgid *f, const struct httpd_line *l)
{
	if (f->depth == 0 && reader_count(&f->reader)) {
		draft_bad(&f->draft, "</%.64s> without <%.64s>", l->name, l->name);
		return;
	}
	f->depth -= f->depth > 0;
	if (strcasecmp(l->name, "VirtualHost") == 0)
		f->now = &f->main;
	if (strncasecmp(l->name, "If", 2) != 0)
		f->within = "";
}

static void take_line(struct fcgid *f, const struct httpd_line *l)
{
	/* What is lost stands beside the defaults, if it is the main server's. */
	f->draft.part = f->now == &f->main ? &f->draft.defaults : NULL;
	if (l->kind == HTTPD_DIRECTIVE)
		directive(f, l);
	else if (l->kind == HTTPD_OPEN)
		open_section(f, l);
	else if (l->kind == HTTPD_CLOSE)
		close_section(f, l);
	else if (l->kind == HTTPD_WRONG && reader_count(&f->reader))
		draft_bad(&f->draft, "%s", l->name);
}

static void take_lines(void *owner, const char *bytes, size_t len)
{
	struct fcgid *f = owner;
	struct httpd_file file = {.at = bytes, .end = bytes + len, .next = 1};
	struct httpd_line l = {.kind = HTTPD_NOTHING};
	const char *name = f->draft.at.file;
	unsigned depth = f->depth;

	while (l.kind != HTTPD_END && !f->reader.full) {
		l = httpd_read(&file);
		f->draft.at = (struct draft_at){.file = name, .line = l.line, .what = ""};
		take_line(f, &l);
	}
	if (f->depth > depth)
		draft_bad(&f->draft, "the file ends within a section");
	f->depth = depth;
}

void fcgid_read(struct fcgid *f, const char *path)
{
	f->reader.system = f->system;
	f->reader.draft = &f->draft;
	f->reader.take = take_lines;
	f->reader.owner = f;
	f->now = &f->main;
	f->within = "";
	f->depth = 0;
	reader_file(&f->reader, path);
}
