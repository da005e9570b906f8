/* reference man|schema: prints man/fcgipm.yaml.5, or conf/pools.schema.json for editors, from the table of settings. */
#include <stdio.h>
#include <string.h>

#include "tools/reference/reference.h"

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "man") == 0)
		reference_man();
	else if (argc == 2 && strcmp(argv[1], "schema") == 0)
		reference_schema();
	else
		return fputs("usage: reference man|schema\n", stderr), 2;
	return 0;
}
