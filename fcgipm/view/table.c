/* The table of a view as text (command line).  Pure; all that the snapshot says comes escaped from the columns. */
#include "fcgipm/view/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fcgipm/client/human.h"
#include "fcgipm/client/render.h"
#include "fcgipm/client/term.h"
#include "fcgipm/view/layout.h"
#include "fcgipm/view/profiles.h"

/* Manager, totals, headings. */
enum { HEAD_LINES = 3 };

static const char *const tones[TONE_COUNT] = {[TONE_GOOD] = "32", [TONE_DIM] = "2", [TONE_WARN] = "33", [TONE_BAD] = "1;31"};

static void add_toned(struct fp_doc *d, enum tone tone, bool colour, const char *text)
{
	if (colour && tones[tone] != NULL)
		fp_doc_add(d, "\x1b[%sm%s\x1b[0m", tones[tone], text);
	else
		fp_doc_add(d, "%s", text);
}

static void add_state_count(struct fp_doc *d, const char **before, uint32_t count, const char *name)
{
	if (count == 0)
		return;
	fp_doc_add(d, "%s%" PRIu32 " %s", *before, count, name);
	*before = ", ";
}

static void add_sum(struct fp_doc *d, const char **before, const char *number, const char *what)
{
	if (number[0] == '-')
		return;
	fp_doc_add(d, "%s%s%s", *before, number, what);
	*before = ", ";
}

void table_totals(struct fp_doc *d, const struct view *v)
{
	struct view_totals t = view_totals(v);
	const char *before = ": ";
	char buf[32];

	fp_doc_add(d, "%" PRIu32 " %s", v->now.count, v->now.count == 1 ? "pool" : "pools");
	if (v->count != v->now.count)
		fp_doc_add(d, " (%" PRIu32 " shown)", v->count);
	for (size_t i = 0; i < STATE_COUNT; i++)
		add_state_count(d, &before, t.in_state[i], states[i].name);
	add_state_count(d, &before, t.in_state[STATE_COUNT], "other");
	before = "; ";
	add_sum(d, &before, human_count(t.queued, buf, sizeof(buf)), " waiting");
	add_sum(d, &before, human_rate(t.rate, buf, sizeof(buf)), " requests/s");
	add_sum(d, &before, human_bytes(t.memory_bytes, buf, sizeof(buf)), " of memory");
}

/* ---- lines ---- */

static void heading(struct fp_doc *d, const struct layout *l, const struct table_style *style)
{
	fp_doc_add(d, "%s", style->colour ? "\x1b[1m" : "");
	for (size_t i = 0; i < l->count; i++)
		layout_cell(l, i, NULL, d);
	fp_doc_add(d, "%s\n", style->colour ? "\x1b[0m" : "");
}

static void pool_line(struct fp_doc *d, const struct layout *l, const struct view_row *row, const struct table_style *style)
{
	for (size_t i = 0; i < l->count; i++) {
		struct fp_doc cell = {.at = NULL};
		bool coloured = style->colour && strcmp(l->column[i]->key, "state") == 0;

		layout_cell(l, i, row, &cell);
		d->failed = d->failed || cell.failed;
		add_toned(d, state_tone(row->pool->figures.state), coloured, cell.at != NULL ? cell.at : "");
		fp_doc_fini(&cell);
	}
	fp_doc_add(d, "\n");
}

static uint32_t remark_count(const struct view *v)
{
	char buf[CELL_MAX];
	uint32_t n = 0;

	for (uint32_t i = 0; i < v->count; i++) {
		row_remark(&v->rows[i], buf);
		n += buf[0] != '\0';
	}
	return n;
}

static void remarks(struct fp_doc *d, const struct view *v, size_t most)
{
	char buf[CELL_MAX];

	for (uint32_t i = 0; i < v->count && most > 0; i++) {
		row_remark(&v->rows[i], buf);
		if (buf[0] == '\0')
			continue;
		term_add(d, v->rows[i].pool->figures.name, false);
		fp_doc_add(d, ": %s\n", buf);
		most--;
	}
}

/* How the lines of a screen are shared: remarks have a third at most, pools the rest, one of them to say how many more there are. */
struct share {
	size_t pools, remarks;
	bool more;
};

static struct share share_lines(const struct view *v, size_t lines)
{
	struct share s = {.pools = v->count, .remarks = remark_count(v)};
	size_t room = lines > HEAD_LINES ? lines - HEAD_LINES : 0;

	if (lines == 0 || s.pools + s.remarks <= room)
		return s;
	if (s.remarks > room / 3)
		s.remarks = room / 3;
	if (s.pools > room - s.remarks) {
		s.more = room > s.remarks;
		s.pools = room - s.remarks - s.more;
	}
	return s;
}

static void pools(struct fp_doc *d, const struct view *v, const struct table_style *style, size_t lines)
{
	struct layout l = layout_make(v, style->width);
	struct share s = share_lines(v, lines);

	if (v->count == 0)
		return;
	heading(d, &l, style);
	for (size_t i = 0; i < s.pools; i++)
		pool_line(d, &l, &v->rows[i], style);
	if (s.more)
		fp_doc_add(d, "... %zu more; fcgipm top shows them\n", v->count - s.pools);
	remarks(d, v, s.remarks);
}

/* Profiles are shown whole, where half of the lines are left to pools, or not at all. */
void table_render(struct fp_doc *d, const struct view *v, const struct table_style *style)
{
	size_t below = profiles_lines(&v->now);

	if (style->lines > 0 && below > style->lines / 2)
		below = 0;
	render_manager(d, &v->now.manager);
	table_totals(d, v);
	fp_doc_add(d, "\n");
	pools(d, v, style, style->lines > 0 ? style->lines - below : 0);
	if (below > 0)
		profiles_render(d, &v->now, style->colour);
}
