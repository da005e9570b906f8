/* What terminfo knows of a terminal (command line).  A file of its own, since the macros of term.h are words that others use. */
#include "fcgipm/cli/terminal.h"

#include <curses.h>
#include <term.h>

bool terminal_can_draw(FILE *f)
{
	bool can;
	int why;

	if (setupterm(NULL, fileno(f), &why) != OK)
		return false;
	can = cursor_address != NULL && clear_screen != NULL;
	(void)del_curterm(cur_term);
	return can;
}
