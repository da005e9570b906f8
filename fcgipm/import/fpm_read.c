/* Files of php-fpm into scopes of directives (command line).  Nothing is judged here but whether a directive is known. */
#include "fcgipm/import/fpm.h"

#include <string.h>
#include <strings.h>

static const struct fpm_row *row_of(const struct fpm_table *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->rows[i].name, name) == 0)
			return &t->rows[i];
	return NULL;
}

const struct fpm_value *fpm_find(const struct fpm_scope *s, const char *name)
{
	const struct fpm_row *row = row_of(s->table, name);

	return row != NULL ? s->latest[row - s->table->rows] : NULL;
}

/* A pool that was begun goes on: its section may stand in several files. */
static void enter(struct fpm *f, const char *name)
{
	struct fpm_scope *s;

	if (strcasecmp(name, "global") == 0) {
		f->now = &f->global;
		return;
	}
	for (s = f->pools; s != NULL; s = s->next)
		if (strcmp(s->name, name) == 0)
			break;
	f->now = s;
	if (s != NULL)
		return;
	if (f->pool_count == DRAFT_POOLS_MAX) {
		draft_bad(&f->draft, "more than %d pools", DRAFT_POOLS_MAX);
		return;
	}
	s = keep_alloc(&f->draft.keep, sizeof(*s));
	if (s == NULL)
		return;
	*s = (struct fpm_scope){.table = &fpm_pool_table, .name = name, .at = f->draft.at};
	if (f->last_pool != NULL)
		f->last_pool->next = s;
	else
		f->pools = s;
	f->last_pool = f->now = s;
	f->pool_count++;
}

/* Texts as they may be shown: an environment's and PHP's own values may be secret. */
static const char *shown(struct keep *k, const struct ini_line *line)
{
	if (line->index != NULL)
		return keep_printf(k, "%.64s[%.64s]", line->name, line->index);
	return keep_printf(k, "%.64s = %.120s", line->name, line->raw);
}

static void replaced(struct fpm *f, const struct fpm_value *old, const struct draft_at *by)
{
	f->draft.at = old->at;
	draft_note(&f->draft, NULL, "given again in %s:%u, which holds", by->file, by->line);
}

static void add_value(struct fpm *f, const struct fpm_row *row, const struct ini_line *line)
{
	struct fpm_value *v = keep_alloc(&f->draft.keep, sizeof(*v));
	struct fpm_scope *s = f->now;
	struct fpm_value **latest = &s->latest[row - s->table->rows];

	if (v == NULL)
		return;
	*v = (struct fpm_value){.row = row, .ini = *line, .at = f->draft.at};
	if (s->last != NULL)
		s->last->next = v;
	else
		s->values = v;
	s->last = v;
	if (line->index != NULL)
		return;
	if (*latest != NULL)
		replaced(f, *latest, &v->at);
	*latest = v;
}

static void include(struct fpm *f, const char *pattern)
{
	if (pattern[0] != '/')
		pattern = keep_printf(&f->draft.keep, FPM_PREFIX "/%s", pattern);
	reader_include(&f->reader, pattern);
}

static void entry(struct fpm *f, const struct ini_line *line)
{
	const struct fpm_row *row;

	f->draft.at.what = shown(&f->draft.keep, line);
	if (strcmp(line->name, "include") == 0) {
		include(f, line->value);
		return;
	}
	if (f->now == NULL)
		return;
	row = row_of(f->now->table, line->name);
	if (row != NULL)
		add_value(f, row, line);
	else
		draft_bad(&f->draft, "not carried over: no directive of %s that is known here", f->now == &f->global ? "[global]" : "a pool");
}

static void read_line(struct fpm *f, const char *bytes, size_t len)
{
	struct ini_line line = {.kind = INI_WRONG, .name = "a line longer than 65536 bytes"};

	if (len <= FPM_LINE_MAX)
		line = ini_read(&f->draft.keep, bytes, len);
	if (line.kind == INI_NOTHING || !reader_count(&f->reader))
		return;
	if (line.kind == INI_SECTION)
		enter(f, line.name);
	else if (line.kind == INI_ENTRY)
		entry(f, &line);
	else if (line.kind == INI_WRONG)
		draft_bad(&f->draft, "%s", line.name);
}

/* What is included goes on in the section that includes it, and the other way round. */
static void take_lines(void *owner, const char *bytes, size_t len)
{
	struct fpm *f = owner;
	const char *file = f->draft.at.file;

	for (unsigned line = 1; len > 0 && !f->reader.full; line++) {
		const char *feed = memchr(bytes, '\n', len);
		size_t n = feed != NULL ? (size_t)(feed - bytes) : len;

		f->draft.at = (struct draft_at){.file = file, .line = line, .what = ""};
		read_line(f, bytes, n);
		n += feed != NULL;
		bytes += n;
		len -= n;
	}
}

void fpm_read(struct fpm *f, const char *path)
{
	f->reader.system = f->system;
	f->reader.draft = &f->draft;
	f->reader.take = take_lines;
	f->reader.owner = f;
	f->now = &f->global;
	reader_file(&f->reader, path);
}
