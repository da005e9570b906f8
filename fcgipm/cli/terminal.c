/* The terminal, if there is one (command line). */
#include "fcgipm/cli/terminal.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"

bool terminal_is(FILE *f)
{
	const char *kind = getenv("TERM");

	return isatty(fileno(f)) == 1 && kind != NULL && kind[0] != '\0' && strcmp(kind, "dumb") != 0;
}

bool terminal_has_colour(FILE *f)
{
	const char *no = getenv("NO_COLOR");

	return terminal_is(f) && (no == NULL || no[0] == '\0');
}

void terminal_size(FILE *f, size_t *ret_columns, size_t *ret_lines)
{
	struct winsize w = {.ws_col = 0};

	(void)ioctl(fileno(f), TIOCGWINSZ, &w);
	*ret_columns = w.ws_col > 0 ? w.ws_col : 80;
	*ret_lines = w.ws_row > 0 ? w.ws_row : 24;
}

void terminal_locale(void)
{
	(void)setlocale(LC_CTYPE, "");
}

int terminal_signals(const int *signals, int *ret_fd, struct fp_err *err)
{
	struct sigaction was;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (; *signals != 0; signals++)
		if (sigaction(*signals, NULL, &was) == 0 && was.sa_handler != SIG_IGN)
			sigaddset(&set, *signals);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return fp_fail(err, errno, "cannot watch for signals: %m");
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	*ret_fd = fd;
	return 0;
}

unsigned terminal_wait(const struct feed *f, int signals, struct pollfd input, int *ret_signal)
{
	struct pollfd p[] = {{.fd = feed_fd(f), .events = POLLIN}, {.fd = signals, .events = POLLIN}, input};
	struct signalfd_siginfo info;
	unsigned what = TERMINAL_TIME;

	*ret_signal = 0;
	if (poll(p, sizeof(p) / sizeof(p[0]), feed_wait_ms(f, fp_now_ms())) <= 0)
		return what;
	if (p[1].revents != 0 && read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		*ret_signal = (int)info.ssi_signo;
	if ((p[2].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
		what |= TERMINAL_HUNG_UP;
	if ((p[2].revents & POLLIN) != 0)
		what |= TERMINAL_INPUT;
	return what;
}
