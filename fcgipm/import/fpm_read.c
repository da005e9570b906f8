/* Files of php-fpm into scopes of directives (command line).  Nothing is judged here but whether a directive is known. */
#include "fcgipm/import/fpm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FILES_MAX = 65536, BYTES_MAX = 64 << 20 };

struct reading {
	struct fpm *f;
	unsigned depth;
};

static void read_file(struct fpm *f, const char *path, unsigned depth);

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

static void one_included(void *context, const char *path)
{
	const struct reading *r = context;

	read_file(r->f, path, r->depth);
}

static void include(struct fpm *f, const char *pattern, unsigned depth)
{
	struct reading r = {.f = f, .depth = depth + 1};
	struct draft_at at = f->draft.at;
	int n;

	if (depth + 1 >= IMPORT_DEPTH_MAX) {
		draft_bad(&f->draft, "files include each other more than %d deep", IMPORT_DEPTH_MAX);
		return;
	}
	if (pattern[0] != '/')
		pattern = keep_printf(&f->draft.keep, FPM_PREFIX "/%s", pattern);
	n = f->system->match(pattern, one_included, &r);
	f->draft.at = at;
	if (n == -ENOENT)
		draft_note(&f->draft, NULL, "no file matches");
	else if (n < 0)
		draft_bad(&f->draft, "%s", strerror(-n));
}

static void entry(struct fpm *f, const struct ini_line *line, unsigned depth)
{
	const struct fpm_row *row;

	f->draft.at.what = shown(&f->draft.keep, line);
	if (strcmp(line->name, "include") == 0) {
		include(f, line->value, depth);
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

static void read_line(struct fpm *f, const char *bytes, size_t len, unsigned depth)
{
	struct ini_line line = {.kind = INI_WRONG, .name = "a line longer than 65536 bytes"};

	if (len <= FPM_LINE_MAX)
		line = ini_read(&f->draft.keep, bytes, len);
	if (line.kind == INI_SECTION)
		enter(f, line.name);
	else if (line.kind == INI_ENTRY)
		entry(f, &line, depth);
	else if (line.kind == INI_WRONG)
		draft_bad(&f->draft, "%s", line.name);
}

static void read_lines(struct fpm *f, const char *bytes, size_t len, unsigned depth)
{
	const char *file = f->draft.at.file;

	for (unsigned line = 1; len > 0; line++) {
		const char *feed = memchr(bytes, '\n', len);
		size_t n = feed != NULL ? (size_t)(feed - bytes) : len;

		f->draft.at = (struct draft_at){.file = file, .line = line, .what = ""};
		read_line(f, bytes, n, depth);
		n += feed != NULL;
		bytes += n;
		len -= n;
	}
}

void fpm_read_bytes(struct fpm *f, const char *file, const char *bytes, size_t len)
{
	f->draft.at = (struct draft_at){.file = file, .what = ""};
	f->now = &f->global;
	read_lines(f, bytes, len, 0);
}

/* Files that include all of their directory would multiply. */
static bool is_too_much(struct fpm *f, size_t len)
{
	f->bytes += len;
	if (++f->files <= FILES_MAX && f->bytes <= BYTES_MAX)
		return false;
	if (!f->full)
		draft_bad(&f->draft, "more than %d files or %d bytes; the others are not read", FILES_MAX, BYTES_MAX);
	f->full = true;
	return true;
}

static void read_file(struct fpm *f, const char *path, unsigned depth)
{
	const char *name = keep_text(&f->draft.keep, path, strlen(path));
	char *bytes = NULL;
	size_t len = 0;
	int r = f->full ? 0 : f->system->read(path, &bytes, &len);

	f->draft.at = (struct draft_at){.file = name, .what = ""};
	if (r < 0)
		draft_bad(&f->draft, "%s", strerror(-r));
	else if (!is_too_much(f, len))
		read_lines(f, bytes, len, depth);
	free(bytes);
}

void fpm_read(struct fpm *f, const char *path)
{
	f->now = &f->global;
	read_file(f, path, 0);
}
