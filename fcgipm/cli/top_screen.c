/* The screen of fcgipm top (command line).  curses writes only what differs from what is there.  Every text comes escaped: nothing that a pool or a worker is
 * called or says reaches the terminal as anything but text. */
#include "fcgipm/cli/top_screen.h"

#include <curses.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/cli/terminal.h"
#include "fcgipm/cli/top_keys.h"
#include "fcgipm/client/render.h"
#include "fcgipm/client/term.h"
#include "fcgipm/view/layout.h"
#include "fcgipm/view/table.h"

enum { LEAST_COLUMNS = 30, LEAST_LINES = 8, HEAD_LINES = 3, FOOT_LINES = 1, REMARK_LEAST = 12, ESCAPE_MS = 25, DELETE = 127 };

struct top_screen {
	FILE *out;
	SCREEN *screen;
	size_t columns, lines;
	int tones[TONE_COUNT]; /* attributes */
	struct layout layout;
};

/* ---- the terminal ---- */

static void set_tones(struct top_screen *s)
{
	static const struct {
		enum tone tone;
		short colour;
		attr_t more;
	} rows[] = {{TONE_GOOD, COLOR_GREEN, A_NORMAL}, {TONE_DIM, -1, A_DIM}, {TONE_WARN, COLOR_YELLOW, A_NORMAL}, {TONE_BAD, COLOR_RED, A_BOLD}};
	bool colour = terminal_has_colour(s->out) && has_colors() && start_color() == OK && use_default_colors() == OK;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s->tones[rows[i].tone] = (int)rows[i].more;
		if (colour && rows[i].colour >= 0 && init_pair((short)rows[i].tone, rows[i].colour, -1) == OK)
			s->tones[rows[i].tone] |= (int)COLOR_PAIR(rows[i].tone);
	}
}

struct top_screen *top_screen_open(FILE *in, FILE *out)
{
	struct top_screen *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->out = out;
	if (terminal_can_draw(out))
		s->screen = newterm(NULL, out, in);
	if (s->screen == NULL) {
		free(s);
		return NULL;
	}
	(void)cbreak();
	(void)noecho();
	(void)nonl();
	(void)nodelay(stdscr, TRUE);
	(void)keypad(stdscr, TRUE);
	(void)set_escdelay(ESCAPE_MS);
	(void)curs_set(0);
	set_tones(s);
	terminal_size(out, &s->columns, &s->lines);
	return s;
}

void top_screen_close(struct top_screen **s)
{
	if (*s == NULL)
		return;
	(void)endwin();
	delscreen((*s)->screen);
	free(*s);
	*s = NULL;
}

void top_screen_resize(struct top_screen *s)
{
	terminal_size(s->out, &s->columns, &s->lines);
	(void)resizeterm((int)s->lines, (int)s->columns);
	(void)clearok(stdscr, TRUE);
}

int top_screen_key(struct top_screen *s)
{
	int key = getch();

	(void)s;
	switch (key) {
	case KEY_BACKSPACE:
	case DELETE:
		return TOP_KEY_ERASE;
	case KEY_ENTER:
	case '\r':
		return TOP_KEY_ENTER;
	case ERR:
		return -1;
	default:
		return key;
	}
}

/* ---- lines ---- */

/* At column x of line y, as much as fits; text is escaped already. */
static void put(const struct top_screen *s, size_t y, size_t x, int attributes, const char *text)
{
	struct fp_doc d = {.at = NULL};

	if (y >= s->lines || x >= s->columns)
		return;
	term_fit(&d, text, s->columns - x, 0);
	(void)attrset(attributes);
	(void)mvaddstr((int)y, (int)x, d.at != NULL ? d.at : "");
	(void)attrset(A_NORMAL);
	fp_doc_fini(&d);
}

/* A whole line, to the right margin in its attributes. */
static void put_line(const struct top_screen *s, size_t y, int attributes, const char *text)
{
	struct fp_doc d = {.at = NULL};
	size_t has = term_columns(text);

	fp_doc_add(&d, "%s%*s", text, has < s->columns ? (int)(s->columns - has) : 0, "");
	put(s, y, 0, attributes, d.at != NULL ? d.at : "");
	fp_doc_fini(&d);
}

/* The text of a document without its last newline, which is then empty. */
static void put_doc(const struct top_screen *s, size_t y, int attributes, struct fp_doc *d)
{
	if (d->len > 0 && d->at[d->len - 1] == '\n')
		d->at[d->len - 1] = '\0';
	put_line(s, y, attributes, d->at != NULL ? d->at : "");
	fp_doc_fini(d);
}

static void draw_head(const struct top_screen *s, const struct browse *b)
{
	struct fp_doc d = {.at = NULL};

	if (b->view.now_ms == 0) {
		put(s, 0, 0, A_NORMAL, "waiting for the manager");
		return;
	}
	render_manager(&d, &b->view.now.manager);
	put_doc(s, 0, A_NORMAL, &d);
	table_totals(&d, &b->view);
	put_doc(s, 1, A_NORMAL, &d);
}

/* What is shown of what: the filter as it is typed, what the manager suffers from. */
static void draw_notice(const struct top_screen *s, const struct browse *b, const char *news)
{
	struct fp_doc d = {.at = NULL};

	if (news != NULL && !b->typing) {
		term_add(&d, news, false);
		put_doc(s, 2, s->tones[TONE_WARN] | A_BOLD, &d);
		return;
	}
	if (b->typing || b->view.filter[0] != '\0') {
		fp_doc_add(&d, "filter: ");
		term_add(&d, b->view.filter, false);
		fp_doc_add(&d, "%s", b->typing ? "_" : "");
	}
	if (b->view.trouble)
		fp_doc_add(&d, "%sonly trouble", d.len > 0 ? "; " : "");
	put_doc(s, 2, s->tones[TONE_WARN], &d);
}

static void draw_foot(const struct top_screen *s, const struct browse *b)
{
	struct fp_doc d = {.at = NULL};

	top_keys_line(&d, b);
	put_doc(s, s->lines - 1, A_REVERSE, &d);
}

/* ---- the list ---- */

static void draw_headings(const struct top_screen *s, const struct browse *b, size_t y)
{
	size_t x = 0;

	put_line(s, y, A_REVERSE, "");
	for (size_t i = 0; i < s->layout.count; i++) {
		struct fp_doc d = {.at = NULL};
		bool sorted = b->view.sort == s->layout.column[i];

		layout_cell(&s->layout, i, NULL, &d);
		put(s, y, x, sorted ? A_BOLD | A_UNDERLINE | A_REVERSE : A_REVERSE, d.at != NULL ? d.at : "");
		x += term_columns(d.at != NULL ? d.at : "");
		fp_doc_fini(&d);
	}
}

static void draw_row(const struct top_screen *s, const struct view_row *row, size_t y, bool selected)
{
	int attributes = selected ? A_REVERSE : A_NORMAL;
	char remark[CELL_MAX];
	size_t x = 0;

	put_line(s, y, attributes, "");
	for (size_t i = 0; i < s->layout.count; i++) {
		struct fp_doc d = {.at = NULL};
		bool state = strcmp(s->layout.column[i]->key, "state") == 0;

		layout_cell(&s->layout, i, row, &d);
		put(s, y, x, state ? attributes | s->tones[state_tone(row->pool->figures.state)] : attributes, d.at != NULL ? d.at : "");
		x += s->layout.width[i] + (i > 0 ? LAYOUT_GAP : 0);
		fp_doc_fini(&d);
	}
	row_remark(row, remark);
	if (s->columns >= x + LAYOUT_GAP + REMARK_LEAST)
		put(s, y, x + LAYOUT_GAP, attributes, remark);
}

static void draw_list(struct top_screen *s, struct browse *b, size_t y, size_t page)
{
	s->layout = layout_make(&b->view, s->columns);
	browse_fit(b, page - 1, b->view.count);
	draw_headings(s, b, y);
	for (size_t i = 0; i < page - 1 && b->first + i < b->view.count; i++)
		draw_row(s, &b->view.rows[b->first + i], y + 1 + i, b->first + i == b->selected);
}

/* ---- texts ---- */

static void make_text(const struct browse *b, struct fp_doc *d)
{
	const struct snapshot_pool *pool = b->mode == BROWSE_DETAIL ? browse_pool(b) : NULL;

	if (b->mode == BROWSE_HELP) {
		top_keys_help(d);
	} else if (pool == NULL) {
		term_add(d, b->name, false);
		fp_doc_add(d, ": the pool is gone\n");
	} else {
		render_detail_pool(d, pool);
	}
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

static void draw_text(struct top_screen *s, struct browse *b, size_t y, size_t page)
{
	struct fp_doc d = {.at = NULL};
	char *rest, *line;

	make_text(b, &d);
	browse_fit(b, page, count_lines(d.at != NULL ? d.at : ""));
	rest = d.at;
	for (size_t i = 0; (line = strsep(&rest, "\n")) != NULL && i < b->line + page; i++)
		if (i >= b->line)
			put(s, y + i - b->line, 0, A_NORMAL, line);
	fp_doc_fini(&d);
}

void top_screen_draw(struct top_screen *s, struct browse *b, const char *news)
{
	(void)erase();
	if (s->columns < LEAST_COLUMNS || s->lines < LEAST_LINES) {
		put(s, 0, 0, A_NORMAL, "too small");
	} else {
		size_t page = s->lines - HEAD_LINES - FOOT_LINES;

		draw_head(s, b);
		draw_notice(s, b, news);
		if (b->mode == BROWSE_LIST)
			draw_list(s, b, HEAD_LINES, page);
		else
			draw_text(s, b, HEAD_LINES, page);
		draw_foot(s, b);
	}
	(void)refresh();
}
