/* The pools.yaml in the making (command line).  It prints no value that the settings table has not taken. */
#include "fcgipm/import/draft.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_LEN = 63, TEXT_MAX = 1024 };

void draft_init(struct draft *d)
{
	*d = (struct draft){
		.manager = {.name = "manager", .table = &settings_manager_table},
		.defaults = {.name = "defaults", .table = &settings_pool_table},
	};
}

void draft_fini(struct draft *d)
{
	settings_manager_free(&d->manager.set.manager);
	settings_pool_free(&d->defaults.set.pool);
	for (struct draft_part *p = d->pools; p != NULL; p = p->next)
		settings_pool_free(&p->set.pool);
	keep_fini(&d->keep);
	fp_doc_fini(&d->said);
}

/* ---- names ---- */

static bool is_taken(const struct draft *d, const char *name)
{
	for (const struct draft_part *p = d->pools; p != NULL; p = p->next)
		if (strcmp(p->name, name) == 0)
			return true;
	return false;
}

/* [a-z0-9][a-z0-9._-]{0,62} of anything. */
static void make_name(const char *text, char name[NAME_MAX_LEN + 1])
{
	size_t n = 0;

	for (; *text != '\0' && n < NAME_MAX_LEN; text++) {
		char c = (char)tolower((unsigned char)*text);
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (plain || n > 0)
			name[n++] = plain || c == '.' || c == '_' ? c : '-';
	}
	name[n] = '\0';
	if (n == 0)
		strcpy(name, "pool");
}

/* name, else name-2, name-3. */
static void make_unique(const struct draft *d, char name[NAME_MAX_LEN + 1])
{
	size_t len = strlen(name);

	for (unsigned n = 2; is_taken(d, name); n++) {
		char suffix[16];
		size_t suffix_len = (size_t)snprintf(suffix, sizeof(suffix), "-%u", n);

		if (len + suffix_len > NAME_MAX_LEN)
			len = NAME_MAX_LEN - suffix_len;
		memcpy(name + len, suffix, suffix_len + 1);
	}
}

bool draft_pool_begin(struct draft *d, const char *name)
{
	struct draft_part *p;
	char made[NAME_MAX_LEN + 1];

	if (d->pool_count == DRAFT_POOLS_MAX) {
		draft_bad(d, "more than %d pools", DRAFT_POOLS_MAX);
		return false;
	}
	p = keep_alloc(&d->keep, sizeof(*p));
	if (p == NULL)
		return false;
	make_name(name, made);
	make_unique(d, made);
	p->name = keep_text(&d->keep, made, strlen(made));
	p->table = &settings_pool_table;
	if (d->last_pool != NULL)
		d->last_pool->next = p;
	else
		d->pools = p;
	d->last_pool = p;
	d->pool_count++;
	d->part = p;
	return true;
}

/* ---- notes ---- */

static void say(struct draft *d, const char *text)
{
	const struct draft_at *at = &d->at;

	if (at->file != NULL) {
		draft_add_text(&d->said, at->file);
		if (at->line > 0)
			fp_doc_add(&d->said, ":%u", at->line);
		fp_doc_add(&d->said, ": ");
	}
	if (at->what[0] != '\0') {
		draft_add_text(&d->said, at->what);
		fp_doc_add(&d->said, ": ");
	}
	draft_add_text(&d->said, text);
	fp_doc_add(&d->said, "\n");
}

static int row_of(const struct draft_part *p, const char *key)
{
	const struct settings_row *row = p != NULL && key != NULL ? settings_find(p->table, key) : NULL;

	return row != NULL ? (int)(row - p->table->rows) : DRAFT_NO_ROW;
}

static void add_note(struct draft *d, const char *key, const char *text)
{
	struct draft_note *n = keep_alloc(&d->keep, sizeof(*n));
	struct draft_note **first = d->part != NULL ? &d->part->notes : &d->notes;
	struct draft_note **last = d->part != NULL ? &d->part->last_note : &d->last_note;

	if (n == NULL)
		return;
	*n = (struct draft_note){.at = d->at, .row = row_of(d->part, key), .text = keep_text(&d->keep, text, strlen(text))};
	if (*last != NULL)
		(*last)->next = n;
	else
		*first = n;
	*last = n;
}

#define FORMAT(text, before, fmt)                                                                                                                              \
	char buf[TEXT_MAX];                                                                                                                                    \
	struct fp_text text = FP_TEXT(buf);                                                                                                                    \
	va_list ap;                                                                                                                                            \
	fp_text_add(&text, "%s", before);                                                                                                                      \
	va_start(ap, fmt);                                                                                                                                     \
	fp_text_vadd(&text, fmt, ap);                                                                                                                          \
	va_end(ap)

void draft_note(struct draft *d, const char *key, const char *fmt, ...)
{
	FORMAT(text, "", fmt);
	say(d, text.at);
	add_note(d, key, text.at);
}

void draft_lost(struct draft *d, const char *key, const char *fmt, ...)
{
	FORMAT(text, "not carried over: ", fmt);
	say(d, text.at);
	add_note(d, key, text.at);
}

void draft_hint(struct draft *d, const char *fmt, ...)
{
	struct draft_at at = d->at;

	FORMAT(text, "", fmt);
	d->at = (struct draft_at){.what = ""};
	add_note(d, NULL, text.at);
	d->at = at;
}

void draft_bad(struct draft *d, const char *fmt, ...)
{
	FORMAT(text, "", fmt);
	say(d, text.at);
	add_note(d, NULL, text.at);
	d->bad = true;
}

/* ---- values ---- */

bool draft_given(const struct draft_part *p, const char *key)
{
	int row = row_of(p, key);

	return row != DRAFT_NO_ROW && p->given[row];
}

bool draft_key_is_live(const struct draft_part *p, const char *key)
{
	const struct settings_row *row = settings_find(p->table, key);

	return row != NULL && row->status == SETTINGS_NOW;
}

/* The values of an environment and the arguments of a command may be secrets: no message quotes them. */
static bool is_secret(const struct draft_part *p, int row)
{
	return row != DRAFT_NO_ROW && (p->table->rows[row].type == SETTINGS_ENVIRONMENT || p->table->rows[row].type == SETTINGS_COMMAND);
}

/* What settings_set() or settings_add() said of it. */
static bool judge(struct draft *d, const char *key, const char *value, int r, const struct fp_err *err)
{
	int row = row_of(d->part, key);

	if (r == 0)
		d->part->given[row] = true;
	else if (r == -ENOSYS)
		draft_lost(d, key, "'%s: %.200s' is not supported by this version", key, value);
	else if (is_secret(d->part, row))
		draft_lost(d, key, "%s does not take it (a name that is none, a control character, or too much)", key);
	else
		draft_lost(d, key, "%s: %s", key, err->text);
	return r == 0;
}

bool draft_set(struct draft *d, const char *key, const char *value)
{
	const struct settings_row *row = settings_find(d->part->table, key);
	struct fp_err err = {.code = 0};
	int r = row == NULL || row->status == SETTINGS_NOT_YET ? -ENOSYS : settings_set(&d->part->set, row, value, &err);

	return judge(d, key, value, r, &err);
}

bool draft_add(struct draft *d, const char *key, const char *item)
{
	const struct settings_row *row = settings_find(d->part->table, key);
	struct fp_err err = {.code = 0};
	int r = row == NULL || row->status == SETTINGS_NOT_YET ? -ENOSYS : settings_add(&d->part->set, row, item, &err);

	return judge(d, key, item, r, &err);
}
