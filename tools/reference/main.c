/* reference man|schema|completion: prints man/fcgipm.yaml.5, conf/pools.schema.json for editors, packaging/completion.bash: from the tables of settings and commands. */
#include <stdio.h>
#include <string.h>

#include "tools/reference/reference.h"

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "man") == 0)
		reference_man();
	else if (argc == 2 && strcmp(argv[1], "schema") == 0)
		reference_schema();
	else if (argc == 2 && strcmp(argv[1], "completion") == 0)
		reference_completion();
	else
		return fputs("usage: reference man|schema|completion\n", stderr), 2;
	return 0;
}
