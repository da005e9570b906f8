/* Findings in the order of the file (launcher process), so that two checks of one world print the same. */
#include "fcgipm/launcher/findings.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct finding_kept {
	struct finding said;
	size_t order; /* as it came: those of one look stay as they are */
	char *texts; /* behind said */
	bool shared;
};

static bool grow(struct findings *f)
{
	size_t cap = f->cap > 0 ? 2 * f->cap : 64;
	struct finding_kept *list = f->count < f->cap ? f->list : reallocarray(f->list, cap, sizeof(*list));

	if (list == NULL)
		return false;
	if (f->count == f->cap)
		f->cap = cap;
	f->list = list;
	return true;
}

void findings_add(struct findings *f, const struct finding *what)
{
	const char *from[] = {what->file, what->pool, what->key, what->text}, *to[4];
	struct finding_kept k = {.said = *what, .order = f->count};
	size_t len = 0;

	for (unsigned i = 0; i < 4; i++)
		len += strlen(from[i]) + 1;
	k.texts = malloc(len);
	if (k.texts == NULL || !grow(f)) {
		free(k.texts);
		return;
	}
	for (unsigned i = 0, at = 0; i < 4; at += (unsigned)strlen(from[i]) + 1, i++)
		to[i] = strcpy(k.texts + at, from[i]);
	k.said.file = to[0];
	k.said.pool = to[1];
	k.said.key = to[2];
	k.said.text = to[3];
	f->list[f->count++] = k;
}

bool findings_has(const struct findings *f, uint32_t pool_index, const char *key)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->list[i].said.pool_index == pool_index && strcmp(f->list[i].said.key, key) == 0)
			return true;
	return false;
}

/* Errors first; one pool's findings are together where their keys are on one line. */
static int by_place(const void *va, const void *vb)
{
	const struct finding_kept *a = va, *b = vb;
	const struct finding *x = &a->said, *y = &b->said;
	const size_t ka[] = {x->warning, x->place.file, x->place.line, x->place.column, x->pool_index, a->order};
	const size_t kb[] = {y->warning, y->place.file, y->place.line, y->place.column, y->pool_index, b->order};

	for (size_t i = 0; i < sizeof(ka) / sizeof(ka[0]); i++)
		if (ka[i] != kb[i])
			return ka[i] < kb[i] ? -1 : 1;
	return 0;
}

/* Two pools do not share a place unless both have it from defaults. */
static bool same_of_another(const struct finding *a, const struct finding *b)
{
	return a->warning == b->warning && a->place.file == b->place.file && a->place.line == b->place.line && a->place.column == b->place.column &&
	       a->pool_index != b->pool_index && strcmp(a->key, b->key) == 0 && strcmp(a->text, b->text) == 0;
}

/* One of those before it says the same; only the nearest are asked, for there may be as many as pools. */
static bool is_said(struct findings *f, size_t kept, const struct finding *what)
{
	enum { NEAREST = 16 };

	for (size_t i = kept > NEAREST ? kept - NEAREST : 0; i < kept; i++) {
		if (!same_of_another(&f->list[i].said, what))
			continue;
		f->list[i].shared = true;
		return true;
	}
	return false;
}

static uint32_t merge(struct findings *f)
{
	uint32_t warnings = 0;
	size_t kept = 0;

	for (size_t i = 0; i < f->count; i++) {
		if (!is_said(f, kept, &f->list[i].said)) {
			f->list[kept++] = f->list[i];
			continue;
		}
		warnings += f->list[i].said.warning;
		free(f->list[i].texts);
	}
	f->count = kept;
	return warnings;
}

static void print(const struct finding_kept *k, struct fp_doc *d)
{
	const struct finding *s = &k->said;

	fp_doc_add(d, "%s:%u:%u: %s%s%s%s%s: %s\n", s->file, s->place.line, s->place.column, s->warning ? "warning: " : "", k->shared ? "defaults" : "pools.",
		   k->shared ? "" : s->pool, s->key[0] != '\0' ? "." : "", s->key, s->text);
}

uint32_t findings_print(struct findings *f, struct fp_doc *d)
{
	uint32_t left_out;

	if (f->count > 0)
		qsort(f->list, f->count, sizeof(f->list[0]), by_place);
	left_out = merge(f);
	for (size_t i = 0; i < f->count; i++)
		print(&f->list[i], d);
	findings_fini(f);
	return left_out;
}

void findings_fini(struct findings *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->list[i].texts);
	free(f->list);
	*f = (struct findings){0};
}
