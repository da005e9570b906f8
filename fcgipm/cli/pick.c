/* Which pools a command shows (command line). */
#include "fcgipm/cli/pick.h"

#include <stdio.h>
#include <string.h>

#include "fcgipm/cli/near.h"

static int read_sort(const struct cli *cli, const char *key, struct view *v)
{
	struct near near = {.word = key};

	v->sort = column_by_key(key);
	if (v->sort != NULL)
		return 0;
	for (size_t i = 0; i < column_count; i++)
		near_try(&near, columns[i].key);
	if (near.best != NULL)
		return cli_usage(cli, "--sort %s: no such column (did you mean %s?)", key, near.best);
	return cli_usage(cli, "--sort %s: no such column", key);
}

int pick_read(const struct cli *cli, struct view *v)
{
	const char *key = cli_value(cli, PICK_SORT, NULL), *filter = cli_value(cli, PICK_FILTER, "");

	if (key != NULL && read_sort(cli, key, v) != 0)
		return FCGIPM_EXIT_USAGE;
	if (strlen(filter) >= sizeof(v->filter))
		return cli_usage(cli, "--filter: more than %zu characters", sizeof(v->filter) - 1);
	snprintf(v->filter, sizeof(v->filter), "%s", filter);
	v->reverse = cli_has(cli, PICK_REVERSE);
	v->trouble = cli_has(cli, PICK_TROUBLE);
	return 0;
}

bool pick_given(const struct cli *cli)
{
	return cli_has(cli, PICK_SORT) || cli_has(cli, PICK_FILTER) || cli_has(cli, PICK_TROUBLE) || cli_has(cli, PICK_REVERSE);
}
