/* How the table of a view stands on so many columns of a terminal (command line).  Pure. */
#include "fcgipm/view/layout.h"

#include <limits.h>
#include <string.h>

#include "fcgipm/client/term.h"

static size_t wider(size_t a, size_t b)
{
	return a > b ? a : b;
}

static void measure(struct layout *l, const struct view *v)
{
	char buf[CELL_MAX];

	l->total = 0;
	for (size_t i = 0; i < l->count; i++) {
		const struct column *c = l->column[i];

		l->width[i] = wider(c->width, strlen(c->heading));
		l->unknown[i] = c->number != NULL;
		for (uint32_t r = 0; r < v->count; r++) {
			c->cell(c, &v->rows[r], buf);
			l->width[i] = wider(l->width[i], term_columns(buf));
			l->unknown[i] = l->unknown[i] && c->number(&v->rows[r]) == WIRE_UNKNOWN;
		}
		l->total += l->width[i] + (i > 0 ? LAYOUT_GAP : 0);
	}
}

/* Names lose what is too much, down to what still tells them apart. */
static void shorten_names(struct layout *l, size_t width, size_t least)
{
	size_t over = l->total > width ? l->total - width : 0;
	size_t spare = l->width[0] > least ? l->width[0] - least : 0;
	size_t less = over < spare ? over : spare;

	l->width[0] -= less;
	l->total -= less;
}

static unsigned order_of(const struct layout *l, size_t i)
{
	if (l->column[i]->given_up == 0)
		return UINT_MAX;
	return l->unknown[i] ? 0 : l->column[i]->given_up;
}

/* Where none may go the last does. */
static size_t given_up_next(const struct layout *l)
{
	size_t next = l->count - 1;

	for (size_t i = 1; i < l->count; i++)
		if (order_of(l, i) < order_of(l, next))
			next = i;
	return next;
}

static void give_up(struct layout *l, size_t next)
{
	l->total -= l->width[next] + LAYOUT_GAP;
	l->count--;
	memmove(&l->column[next], &l->column[next + 1], (l->count - next) * sizeof(l->column[0]));
	memmove(&l->width[next], &l->width[next + 1], (l->count - next) * sizeof(l->width[0]));
	memmove(&l->unknown[next], &l->unknown[next + 1], (l->count - next) * sizeof(l->unknown[0]));
}

struct layout layout_make(const struct view *v, size_t width)
{
	struct layout l = {.count = 0};

	for (size_t i = 0; i < column_count && l.count < LAYOUT_COLUMNS_MAX; i++)
		if (v->live || !columns[i].live)
			l.column[l.count++] = &columns[i];
	measure(&l, v);
	if (width == 0)
		return l;
	shorten_names(&l, width, LAYOUT_NAME_LEAST);
	while (l.total > width && l.count > 1)
		give_up(&l, given_up_next(&l));
	shorten_names(&l, width, 1);
	return l;
}

static void pad(struct fp_doc *d, size_t n)
{
	fp_doc_add(d, "%*s", (int)n, "");
}

void layout_cell(const struct layout *l, size_t i, const struct view_row *row, struct fp_doc *d)
{
	const struct column *c = l->column[i];
	char buf[CELL_MAX];
	const char *text = c->heading;
	size_t has, room;

	if (row != NULL) {
		c->cell(c, row, buf);
		text = buf;
	}
	has = term_columns(text);
	room = has < l->width[i] ? l->width[i] - has : 0;
	pad(d, (i > 0 ? LAYOUT_GAP : 0) + (c->kind != COLUMN_TEXT ? room : 0));
	term_fit(d, text, l->width[i], l->width[i] / 2);
	pad(d, c->kind == COLUMN_TEXT ? room : 0);
}
