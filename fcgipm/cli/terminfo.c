/* What terminfo knows of a terminal (command line).  A file of its own, since the macros of term.h are words that others use. */
#include "fcgipm/cli/terminal.h"

#include <curses.h>
#include <term.h>

bool terminal_can_draw(FILE *f)
{
	int why;

	return setupterm(NULL, fileno(f), &why) == OK && cursor_address != NULL && clear_screen != NULL;
}
