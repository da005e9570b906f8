/* fcgipm: the command line.  It asks a running manager, and starts the launcher; it has no privilege of its own and
 * needs none. */
#include <fcntl.h>
#include <unistd.h>

#include "fcgipm/cli/cli.h"

/* What was closed stays as good as closed (EBADF), but nothing else gets its number. */
static void fill_stdio(void)
{
	static const int modes[] = {[STDIN_FILENO] = O_WRONLY, [STDOUT_FILENO] = O_RDONLY, [STDERR_FILENO] = O_RDONLY};

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", modes[fd]); /* the lowest number that is free */
}

int main(int argc, char **argv)
{
	struct cli cli = {.out = stdout, .err = stderr};

	fill_stdio();
	return cli_main(&cli, argc, argv);
}
