/* A person going through a view: what is selected, what of it is on the screen, what is being typed.  Keys and drawing are elsewhere. */
#ifndef FCGIPM_VIEW_BROWSE_H
#define FCGIPM_VIEW_BROWSE_H

#include "fcgipm/view/view.h"

enum browse_mode { BROWSE_LIST, BROWSE_DETAIL, BROWSE_HELP };

enum browse_command {
	BROWSE_UP,
	BROWSE_DOWN,
	BROWSE_PAGE_UP,
	BROWSE_PAGE_DOWN,
	BROWSE_FIRST,
	BROWSE_LAST,
	BROWSE_OPEN, /* the selected pool */
	BROWSE_BACK, /* to the list; there: without a filter */
	BROWSE_SORT_LEFT,
	BROWSE_SORT_RIGHT,
	BROWSE_REVERSE,
	BROWSE_TROUBLE,
	BROWSE_FILTER, /* begin to type one */
	BROWSE_SHOW_HELP,
};

struct browse {
	struct view view;
	enum browse_mode mode;
	bool typing; /* the view's filter, with every key */
	char filter_before[FILTER_MAX]; /* what it goes back to */
	size_t selected, first; /* rows of the list; the first is the one at the top of the screen */
	size_t line; /* of the detail or the help, at the top of the screen */
	size_t page, lines; /* what the screen can show, and what there is to show in the mode */
	char name[FILTER_MAX]; /* of the selected pool */
};

int browse_take(struct browse *b, struct snapshot *s, int64_t at_ms);
void browse_do(struct browse *b, enum browse_command command);
/* Sorts by a column; by the one that it is sorted by already: the other way round. */
void browse_sort(struct browse *b, const struct column *c);

/* While typing: a character; the last one taken back; the end, kept or not. */
void browse_type(struct browse *b, char c);
void browse_erase(struct browse *b);
void browse_enter(struct browse *b, bool keep);

/* To be called before drawing: page lines can be shown, of lines that there are.  The selected row comes onto the screen, and no space stays empty. */
void browse_fit(struct browse *b, size_t page, size_t lines);
/* The selected pool as it is now; NULL: there is none any more. */
const struct snapshot_pool *browse_pool(const struct browse *b);

#endif
