/* A person going through a view (command line).  Pure. */
#include "fcgipm/view/browse.h"

#include <stdio.h>
#include <string.h>

static size_t at_most(size_t n, size_t most)
{
	return n < most ? n : most;
}

static size_t last_row(const struct browse *b)
{
	return b->view.count > 0 ? b->view.count - 1 : 0;
}

static void select_row(struct browse *b, size_t row)
{
	b->selected = at_most(row, last_row(b));
	if (b->view.count > 0)
		snprintf(b->name, sizeof(b->name), "%s", b->view.rows[b->selected].pool->figures.name);
}

/* The rows have moved: whoever has selected a pool stays with it, whoever stands at the top stays at the top.  Where it is gone another row is selected. */
static void follow(struct browse *b, size_t other)
{
	size_t i = 0;

	if (b->mode == BROWSE_LIST && b->selected == 0) {
		select_row(b, 0);
		return;
	}
	while (i < b->view.count && strcmp(b->view.rows[i].pool->figures.name, b->name) != 0)
		i++;
	if (i < b->view.count)
		b->selected = i;
	else if (b->mode == BROWSE_LIST)
		select_row(b, other);
}

static void arrange(struct browse *b)
{
	view_arrange(&b->view);
	follow(b, 0);
}

int browse_take(struct browse *b, struct snapshot *s, int64_t at_ms)
{
	int r = view_take(&b->view, s, at_ms);

	if (r == 0)
		follow(b, b->selected);
	return r;
}

/* ---- moving ---- */

static void move_to(struct browse *b, size_t to)
{
	if (b->mode == BROWSE_LIST)
		select_row(b, to);
	else
		b->line = at_most(to, b->lines > b->page ? b->lines - b->page : 0);
}

static void move(struct browse *b, enum browse_command command)
{
	size_t at = b->mode == BROWSE_LIST ? b->selected : b->line, page = b->page > 1 ? b->page - 1 : 1;

	switch (command) {
	case BROWSE_UP:
		move_to(b, at - at_most(at, 1));
		break;
	case BROWSE_DOWN:
		move_to(b, at + 1);
		break;
	case BROWSE_PAGE_UP:
		move_to(b, at - at_most(at, page));
		break;
	case BROWSE_PAGE_DOWN:
		move_to(b, at + page);
		break;
	case BROWSE_FIRST:
		move_to(b, 0);
		break;
	default:
		move_to(b, at + (b->mode == BROWSE_LIST ? b->view.count : b->lines));
		break;
	}
}

/* ---- the rest ---- */

static void show(struct browse *b, enum browse_mode mode)
{
	b->mode = mode;
	b->line = 0;
}

static void back(struct browse *b)
{
	if (b->mode != BROWSE_LIST) {
		show(b, BROWSE_LIST);
		return;
	}
	b->view.filter[0] = '\0';
	b->view.trouble = false;
	arrange(b);
}

/* Columns that the table does not have yet are no step. */
static void sort_beside(struct browse *b, int step)
{
	size_t i = b->view.sort != NULL ? (size_t)(b->view.sort - columns) : 0;

	do
		i = (i + column_count + (size_t)step) % column_count;
	while (columns[i].live && !b->view.live);
	b->view.sort = &columns[i];
	arrange(b);
}

static void begin_typing(struct browse *b)
{
	show(b, BROWSE_LIST);
	b->typing = true;
	memcpy(b->filter_before, b->view.filter, sizeof(b->filter_before));
}

void browse_do(struct browse *b, enum browse_command command)
{
	switch (command) {
	case BROWSE_OPEN:
		if (b->mode == BROWSE_LIST && b->view.count > 0)
			show(b, BROWSE_DETAIL);
		break;
	case BROWSE_BACK:
		back(b);
		break;
	case BROWSE_SORT_LEFT:
	case BROWSE_SORT_RIGHT:
		sort_beside(b, command == BROWSE_SORT_LEFT ? -1 : 1);
		break;
	case BROWSE_REVERSE:
		b->view.reverse = !b->view.reverse;
		arrange(b);
		break;
	case BROWSE_TROUBLE:
		b->view.trouble = !b->view.trouble;
		arrange(b);
		break;
	case BROWSE_FILTER:
		begin_typing(b);
		break;
	case BROWSE_SHOW_HELP:
		show(b, b->mode == BROWSE_HELP ? BROWSE_LIST : BROWSE_HELP);
		break;
	default:
		move(b, command);
		break;
	}
}

void browse_sort(struct browse *b, const struct column *c)
{
	b->view.reverse = b->view.sort == c && !b->view.reverse;
	b->view.sort = c;
	arrange(b);
}

void browse_type(struct browse *b, char c)
{
	size_t len = strlen(b->view.filter);

	if (len + 1 >= sizeof(b->view.filter))
		return;
	b->view.filter[len] = c;
	b->view.filter[len + 1] = '\0';
	arrange(b);
}

void browse_erase(struct browse *b)
{
	size_t len = strlen(b->view.filter);

	b->view.filter[len - (len > 0)] = '\0';
	arrange(b);
}

void browse_enter(struct browse *b, bool keep)
{
	b->typing = false;
	if (keep)
		return;
	memcpy(b->view.filter, b->filter_before, sizeof(b->view.filter));
	arrange(b);
}

void browse_fit(struct browse *b, size_t page, size_t lines)
{
	b->page = page;
	b->lines = lines;
	b->line = at_most(b->line, lines > page ? lines - page : 0);
	if (b->selected < b->first)
		b->first = b->selected;
	if (page > 0 && b->selected >= b->first + page)
		b->first = b->selected - page + 1;
	b->first = at_most(b->first, b->view.count > page ? b->view.count - page : 0);
}

const struct snapshot_pool *browse_pool(const struct browse *b)
{
	for (uint32_t i = 0; i < b->view.now.count; i++)
		if (strcmp(b->view.now.pools[i].figures.name, b->name) == 0)
			return &b->view.now.pools[i];
	return NULL;
}
