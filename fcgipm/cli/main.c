/* fcgipm: the command line.  It asks a running manager, and starts the launcher; it has no privilege of its own and
 * needs none. */
#include "fcgipm/cli/cli.h"

int main(int argc, char **argv)
{
	struct cli cli = {.out = stdout, .err = stderr};

	return cli_main(&cli, argc, argv);
}
