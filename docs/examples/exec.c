/* Runs a program through fcgipm's exec broker and copies what it says.  cc -o exec exec.c -lfcgipm
 *
 *   ./exec cgi /usr/lib/cgi-bin/hello
 */
#include <fcgipm/client.h>
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void copy(int from, int to)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, (size_t)n) < 0)
			return;
}

int main(int argc, char **argv)
{
	struct fcgipm_program what = {.stdio = {-1, -1, STDERR_FILENO}};
	struct fcgipm_error err;
	struct fcgipm_run run;
	struct fcgipm_end end;

	if (argc < 3)
		return 2;
	what.profile = argv[1];
	what.argv = (const char *const *)argv + 2;
	if (fcgipm_exec(FCGIPM_CONTROL_SOCKET, &what, 10000, &run, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 125;
	}
	close(run.stdio[0]); /* nothing for it to read */
	run.stdio[0] = -1;
	copy(run.stdio[1], STDOUT_FILENO);
	if (fcgipm_wait(&run, -1, &end, &err) < 0)
		return 125;
	fprintf(stderr, "%lld us of processor time, %lld KB\n", (long long)(end.user_us + end.system_us), (long long)end.max_rss_kb);
	fcgipm_run_close(&run);
	return WIFEXITED(end.status) ? WEXITSTATUS(end.status) : 128 + WTERMSIG(end.status);
}
