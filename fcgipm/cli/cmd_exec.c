/* fcgipm exec: a program through the exec broker, with this command's own standard input, output and error (command line). */
#include "fcgipm/cli/commands.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/cli/ask.h"
#include "fcgipm/client/broker.h"

enum { DIRECTORY = CLI_KEY_LONG, EXIT_OWN = 125, EXIT_SIGNAL = 128 };
enum { TOLD_MS = 500 }; /* it runs for so long at most before the broker's word of it is here */

static int run(struct cli *cli);

const struct cli_command cmd_exec = {
	.name = "exec",
	.args = "PROFILE -- ARGV...",
	.min_args = 2,
	.max_args = UINT_MAX,
	.words_after = 1,
	.brief = "run a program through the exec broker",
	.help = "As whom it runs, and what it may be, is the profile's word (exec: in the\n"
		"configuration); of the environment that goes through which the profile names.\n"
		"It has this command's standard input, output and error.  The first signal that\n"
		"ends this command ends the program by SIGTERM, a second one by SIGKILL.\n"
		"\n"
		"Ends with the program's status, 128 and the signal's number when one ended it,\n"
		"and 125 when it was not run: refused, no manager, or timed out on the way.",
	.run = run,
	.options =
		(const struct cli_option[]){
			{DIRECTORY, "directory", "DIR", "where it runs (default: the program's own directory)"},
			{0, NULL, NULL, NULL},
		},
};

/* SIGHUP, SIGINT and SIGTERM by descriptor; -1: they end this command, and the program with it.  One that is ignored (nohup, a shell's &) stays so. */
static int watch_signals(void)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGTERM};
	struct sigaction now;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset(&set, signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* What has not begun ends with the connection, and nobody tells how: one that may have is waited for. */
static void pass_signal(int fd, struct fcgipm_broker *b, bool begun, unsigned *times)
{
	struct pollfd news = {.fd = broker_fd(b), .events = POLLIN};
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (!begun)
		poll(&news, 1, TOLD_MS);
	broker_cancel(b, (*times)++ > 0);
}

static int exit_code(const struct cli *cli, const struct fcgipm_end *end)
{
	if (end->why == FCGIPM_ENDED_BY_TIMEOUT)
		cli_say(cli, 0, "ended by the profile's timeout");
	if (WIFEXITED(end->status))
		return WEXITSTATUS(end->status);
	return EXIT_SIGNAL + WTERMSIG(end->status);
}

/* Until it has ended. */
static int attend(const struct cli *cli, struct fcgipm_broker *b)
{
	fp_autoclose int signals = watch_signals();
	struct pollfd p[2] = {{.fd = broker_fd(b), .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	struct fcgipm_run started = {.pidfd = -1};
	struct fcgipm_end end;
	struct fp_err err = {.code = 0};
	unsigned times = 0;
	bool begun = false;

	for (;;) {
		int r = poll(p, 2, -1) < 0 && errno != EINTR ? fp_fail(&err, errno, "%m") : 0;

		if (r == 0 && p[1].revents != 0)
			pass_signal(signals, b, begun, &times);
		if (r == 0)
			r = broker_next(b, &started, &end, &err);
		begun = begun || r == FCGIPM_NEWS_STARTED;
		fp_close(&started.pidfd);
		if (r == FCGIPM_NEWS_ENDED)
			return exit_code(cli, &end);
		if (r < 0)
			return cli_say(cli, EXIT_OWN, "%s", times > 0 && !begun ? "cancelled before it began" : err.text);
	}
}

/* The arguments behind the profile, with an end. */
static const char **make_argv(const struct cli *cli)
{
	const char **argv = calloc(cli->arg_count, sizeof(*argv));

	for (unsigned i = 1; argv != NULL && i < cli->arg_count; i++)
		argv[i - 1] = cli->args[i];
	return argv;
}

static int run(struct cli *cli)
{
	char path[PATH_MAX];
	fp_autofree const char **argv = make_argv(cli);
	struct fcgipm_program what = {
		.profile = cli->args[0],
		.argv = argv,
		.envp = (const char *const *)environ,
		.directory = cli_value(cli, DIRECTORY, NULL),
		.stdio = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO},
	};
	struct fcgipm_broker *b = NULL;
	struct fp_err err = {.code = 0};
	int r = argv == NULL ? fp_fail(&err, ENOMEM, "%m") : broker_open(ask_path(cli, path, sizeof(path)), INT64_MAX, &b, &err);

	if (r == 0)
		r = broker_ask(b, &what, &err);
	r = r < 0 ? cli_say(cli, EXIT_OWN, "%s", err.text) : attend(cli, b);
	broker_close(&b);
	return r;
}
