/* fcgipm top: the pools, live (command line).  However it ends, the terminal is as it was. */
#include "fcgipm/cli/commands.h"

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/cli/feed.h"
#include "fcgipm/cli/pick.h"
#include "fcgipm/cli/terminal.h"
#include "fcgipm/cli/top_keys.h"
#include "fcgipm/cli/top_screen.h"
#include "fcgipm/cli/watch.h"

enum { DELAY = 'd' };

static int run(struct cli *cli);

const struct cli_command cmd_top = {
	.name = "top",
	.args = "",
	.brief = "go through the pools, live",
	.help = "h shows the keys.  It needs a terminal; fcgipm status --watch does without.",
	.run = run,
	.options =
		(const struct cli_option[]){
			{DELAY, "delay", "SECONDS", "ask every so many seconds (2)"},
			PICK_OPTIONS,
			{0, NULL, NULL, NULL},
		},
};

struct top {
	const struct cli *cli;
	struct browse browse;
	struct feed feed;
	struct top_screen *screen;
	int signals;
	bool ended;
	int signo; /* that ended it, or 0 */
	struct feed_refusal no;
};

static void press_keys(struct top *t)
{
	for (int key; !t->ended && (key = top_screen_key(t->screen)) != -1;) {
		enum top_action action = top_keys_press(&t->browse, key);

		t->ended = action == TOP_QUIT;
		if (action == TOP_NOW)
			feed_hurry(&t->feed);
	}
}

static void take_signal(struct top *t, int signo)
{
	if (signo == SIGWINCH || signo == SIGCONT) {
		top_screen_resize(t->screen);
	} else if (signo != 0) {
		t->ended = true;
		t->signo = signo;
	}
}

static void turn(struct top *t)
{
	struct snapshot s;
	int signo;
	unsigned what = terminal_wait(&t->feed, t->signals, (struct pollfd){.fd = fileno(stdin), .events = POLLIN}, &signo);
	int64_t now = fp_now_ms();
	enum feed_event event = feed_step(&t->feed, now, &s, &t->no);

	take_signal(t, signo);
	if ((what & TERMINAL_INPUT) != 0)
		press_keys(t);
	if ((what & TERMINAL_HUNG_UP) != 0)
		t->ended = true;
	if (event == FEED_SNAPSHOT && browse_take(&t->browse, &s, now) < 0)
		t->no = (struct feed_refusal){.code = FCGIPM_EXIT_NO, .why = {.text = "out of memory"}};
	t->ended = t->ended || t->no.code != 0;
	if (!t->ended)
		top_screen_draw(t->screen, &t->browse, feed_news(&t->feed, now));
}

static int needs_terminal(const struct cli *cli)
{
	return cli_say(cli, FCGIPM_EXIT_USAGE, "top needs a terminal on which a cursor can be moved; fcgipm status --watch does without");
}

/* A signal ends the program after all, as it ends others: who waits for it sees that. */
static void end_by(int signo)
{
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, signo);
	(void)signal(signo, SIG_DFL);
	(void)raise(signo);
	(void)sigprocmask(SIG_UNBLOCK, &one, NULL);
}

static int go(struct top *t)
{
	struct fp_err err = {.code = 0};

	if (terminal_signals((const int[]){SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGCONT, 0}, &t->signals, &err) < 0)
		return cli_say(t->cli, FCGIPM_EXIT_NO, "%s", err.text);
	t->screen = top_screen_open(stdin, t->cli->out);
	if (t->screen == NULL)
		return needs_terminal(t->cli);
	top_screen_draw(t->screen, &t->browse, NULL);
	while (!t->ended)
		turn(t);
	top_screen_close(&t->screen);
	if (t->no.code != 0)
		return cli_say(t->cli, t->no.code, "%s", t->no.why.text);
	return FCGIPM_EXIT_DONE;
}

static int run(struct cli *cli)
{
	struct top t = {.cli = cli, .signals = -1};
	int64_t interval_ms;
	int code;

	if (pick_read(cli, &t.browse.view) != 0 || watch_interval(cli, cli_value(cli, DELAY, NULL), &interval_ms) != 0)
		return FCGIPM_EXIT_USAGE;
	if (!terminal_is(stdin) || !terminal_is(cli->out))
		return needs_terminal(cli);
	if (t.browse.view.sort == NULL)
		t.browse.view.sort = column_by_key("pool");
	terminal_locale();
	code = feed_open(&t.feed, cli, "", interval_ms);
	if (code == 0)
		code = go(&t);
	feed_close(&t.feed);
	view_fini(&t.browse.view);
	fp_close(&t.signals);
	if (t.signo != 0)
		end_by(t.signo);
	return code;
}
