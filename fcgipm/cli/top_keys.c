/* The keys of fcgipm top (command line). */
#include "fcgipm/cli/top_keys.h"

#include <curses.h>

enum { CONTROL_B = 2, CONTROL_F = 6, CONTROL_L = 12 };

static const struct top_key keys[] = {
	{{'q', 'Q'}, "q", "quit", "end", TOP_QUIT, 0},
	{{'h', '?', KEY_F(1)}, "h", "help", "this list, or back from it", TOP_BROWSE, BROWSE_SHOW_HELP},
	{{TOP_KEY_ENTER, KEY_RIGHT}, "Enter", "detail", "everything about the selected pool", TOP_BROWSE, BROWSE_OPEN},
	{{TOP_KEY_ESCAPE, KEY_LEFT}, "Esc", "back", "back to the list; in the list: all pools again", TOP_BROWSE, BROWSE_BACK},
	{{'/'}, "/", "filter", "only pools with these words in the name, or in such a state", TOP_BROWSE, BROWSE_FILTER},
	{{'t'}, "t", "trouble", "only pools that fail, lack workers or have an alarm", TOP_BROWSE, BROWSE_TROUBLE},
	{{'<'}, "<", NULL, "sort by the column to the left", TOP_BROWSE, BROWSE_SORT_LEFT},
	{{'>'}, ">", "sort", "sort by the column to the right", TOP_BROWSE, BROWSE_SORT_RIGHT},
	{{'r'}, "r", "reverse", "sort the other way round", TOP_BROWSE, BROWSE_REVERSE},
	{{' ', CONTROL_L}, "Space", NULL, "ask the manager now", TOP_NOW, 0},
	{{KEY_UP, 'k'}, "Up, k", NULL, "up", TOP_BROWSE, BROWSE_UP},
	{{KEY_DOWN, 'j'}, "Down, j", NULL, "down", TOP_BROWSE, BROWSE_DOWN},
	{{KEY_PPAGE, CONTROL_B}, "PageUp", NULL, "a screen up", TOP_BROWSE, BROWSE_PAGE_UP},
	{{KEY_NPAGE, CONTROL_F}, "PageDown", NULL, "a screen down", TOP_BROWSE, BROWSE_PAGE_DOWN},
	{{KEY_HOME, 'g'}, "Home, g", NULL, "to the top", TOP_BROWSE, BROWSE_FIRST},
	{{KEY_END, 'G'}, "End, G", NULL, "to the bottom", TOP_BROWSE, BROWSE_LAST},
};
enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

static const struct top_key *find(int code)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		for (size_t n = 0; n < TOP_KEY_CODES; n++)
			if (code != 0 && keys[i].codes[n] == code)
				return &keys[i];
	return NULL;
}

static void type(struct browse *b, int code)
{
	if (code == TOP_KEY_ENTER || code == TOP_KEY_ESCAPE)
		browse_enter(b, code == TOP_KEY_ENTER);
	else if (code == TOP_KEY_ERASE)
		browse_erase(b);
	else if (code >= ' ' && code < 127)
		browse_type(b, (char)code);
}

enum top_action top_keys_press(struct browse *b, int code)
{
	const struct top_key *key = find(code);

	if (b->typing)
		type(b, code);
	else if (key != NULL && key->action != TOP_BROWSE)
		return key->action;
	else if (key != NULL)
		browse_do(b, key->command);
	else if (column_by_letter(code) != NULL)
		browse_sort(b, column_by_letter(code));
	return TOP_BROWSE;
}

void top_keys_line(struct fp_doc *d, const struct browse *b)
{
	if (b->typing) {
		fp_doc_add(d, "Enter keep  Esc leave");
		return;
	}
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (keys[i].label != NULL)
			fp_doc_add(d, "%s%s %s", d->len > 0 ? "  " : "", keys[i].name, keys[i].label);
}

void top_keys_help(struct fp_doc *d)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		fp_doc_add(d, "  %-10s %s\n", keys[i].name, keys[i].help);
	fp_doc_add(d, "\nA letter sorts by its column, once more the other way round:\n");
	for (size_t i = 0; i < column_count; i++)
		fp_doc_add(d, "  %c %-8s %s\n", columns[i].letter, columns[i].heading, columns[i].help);
}
