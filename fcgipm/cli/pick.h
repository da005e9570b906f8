/* Which pools a command shows, and in which order: options that status and top share. */
#ifndef FCGIPM_CLI_PICK_H
#define FCGIPM_CLI_PICK_H

#include "fcgipm/cli/cli.h"
#include "fcgipm/view/view.h"

enum { PICK_SORT = CLI_KEY_LONG + 100, PICK_FILTER, PICK_TROUBLE, PICK_REVERSE };
/* clang-format off */
#define PICK_OPTIONS                                                                                 \
	{PICK_SORT, "sort", "COLUMN", "pool, state, idle, busy, booting, max, queue, rate, served, restarts or memory"}, \
	{PICK_REVERSE, "reverse", NULL, "the other way round"},                                            \
	{PICK_FILTER, "filter", "WORDS", "only pools with these in the name, or in such a state"},          \
	{PICK_TROUBLE, "trouble", NULL, "only pools that fail, lack workers or have an alarm"}
/* clang-format on */

/* Into a view: 0 or a usage error. */
int pick_read(const struct cli *cli, struct view *v);
/* One of these options was given. */
bool pick_given(const struct cli *cli);

#endif
