/* The status, again and again (command line).  On a terminal each picture is drawn over the last, line by line, so that nothing flickers and what was on the
 * screen before stays above it; anywhere else text is appended.  Nothing of the terminal is changed, so nothing is to be restored when a signal ends it. */
#include "fcgipm/cli/watch.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/units.h"
#include "fcgipm/cli/feed.h"
#include "fcgipm/cli/terminal.h"
#include "fcgipm/client/term.h"

enum { WATCH_MS = 2000, LEAST_MS = 100, MOST_MS = 24 * 3600 * 1000 };

struct picture {
	struct watch *w;
	bool draws; /* over the picture before */
	size_t drawn, shown; /* lines of that; pictures so far */
	struct table_style style;
	char said[sizeof(((struct fp_err *)NULL)->text)]; /* the news that was told last, where text is appended */
};

int watch_interval(const struct cli *cli, const char *text, int64_t *ret_ms)
{
	uint64_t seconds;
	int64_t ms;

	if (text == NULL)
		ms = WATCH_MS;
	else if (fp_parse_u64(text, &seconds) == 0 && seconds <= MOST_MS / 1000)
		ms = (int64_t)seconds * 1000;
	else if (fp_parse_duration_ms(text, &ms) < 0)
		return cli_usage(cli, "%s: not a number of seconds, and no duration such as 500ms or 1m", text);
	if (ms < LEAST_MS || ms > MOST_MS)
		return cli_usage(cli, "%s: from 100ms to 24h", text);
	*ret_ms = ms;
	return 0;
}

/* ---- drawing ---- */

/* A line over the one that is there.  Only a line without colours can be too long. */
static void draw_line(const struct picture *p, struct fp_doc *to, const char *text, size_t len)
{
	fp_autofree char *line = strndup(text, len);

	if (line == NULL)
		to->failed = true;
	else if (strchr(line, '\x1b') != NULL)
		fp_doc_add(to, "%s", line);
	else
		term_fit(to, line, p->style.width, 0);
	fp_doc_add(to, "\x1b[K\n");
}

static void draw(struct picture *p, struct fp_doc *to, const char *text, const char *news)
{
	size_t room = p->style.lines;

	if (p->drawn > 0)
		fp_doc_add(to, "\r\x1b[%zuA", p->drawn);
	p->drawn = 0;
	if (news != NULL) {
		struct fp_doc safe = {.at = NULL};

		term_add(&safe, news, false);
		draw_line(p, to, safe.at != NULL ? safe.at : "", safe.len);
		fp_doc_fini(&safe);
		p->drawn++;
	}
	for (const char *end; p->drawn < room && (end = strchr(text, '\n')) != NULL; text = end + 1) {
		draw_line(p, to, text, (size_t)(end - text));
		p->drawn++;
	}
	fp_doc_add(to, "\x1b[J");
}

static void append(const struct picture *p, struct fp_doc *to, const char *text)
{
	time_t now = time(NULL);
	struct tm tm;
	char at[64] = "";

	if (!p->w->bare && localtime_r(&now, &tm) != NULL && strftime(at, sizeof(at), "%F %T%z", &tm) > 0)
		fp_doc_add(to, "%s%s\n", p->shown > 0 ? "\n" : "", at);
	fp_doc_add(to, "%s", text);
}

/* On a terminal a signal waits until the picture is whole: half of one may end in the middle of a colour. */
static int put(const struct picture *p, const struct fp_doc *out)
{
	sigset_t all, was;
	int r;

	sigfillset(&all);
	if (p->draws)
		(void)sigprocmask(SIG_BLOCK, &all, &was);
	r = fp_write_full(fileno(p->w->cli->out), out->at, out->len);
	if (p->draws)
		(void)sigprocmask(SIG_SETMASK, &was, NULL);
	return r;
}

/* 0, or -errno of a write: -EPIPE when nobody reads. */
static int show(struct picture *p, const char *news)
{
	struct fp_doc text = {.at = NULL}, out = {.at = NULL};
	struct table_style style = p->style;
	int r = 0;

	if (p->draws && news != NULL)
		style.lines--;
	if (p->w->view.now_ms != 0)
		p->w->render(p->w->cli, &text, &p->w->view, &style);
	if (p->draws)
		draw(p, &out, text.at != NULL ? text.at : "", news);
	else
		append(p, &out, text.at != NULL ? text.at : "");
	if (text.failed || out.failed)
		r = -ENOMEM;
	else
		r = put(p, &out);
	fp_doc_fini(&text);
	fp_doc_fini(&out);
	p->shown++;
	return r;
}

/* The screen has another size: what was drawn stands somewhere else on it now. */
static int resize(struct picture *p)
{
	static const char clear[] = "\x1b[H\x1b[2J";

	terminal_size(p->w->cli->out, &p->style.width, &p->style.lines);
	p->style.lines -= p->style.lines > 1; /* for the cursor below the last line */
	if (p->drawn == 0)
		return 0;
	p->drawn = 0;
	return fp_write_full(fileno(p->w->cli->out), clear, sizeof(clear) - 1);
}

/* ---- going on ---- */

/* What a person should know goes into the picture, or once to standard error. */
static int tell(struct picture *p, const char *news)
{
	bool same = strcmp(p->said, news != NULL ? news : "") == 0;

	if (same)
		return 0;
	snprintf(p->said, sizeof(p->said), "%s", news != NULL ? news : "");
	if (p->draws)
		return show(p, news);
	if (news != NULL)
		(void)cli_say(p->w->cli, 0, "%s", news);
	return 0;
}

/* One turn: 0 to go on, 1 at the end with *ret_code, -errno of a write. */
static int turn(struct picture *p, struct feed *f, int signals, int *ret_code)
{
	struct feed_refusal no = {.code = 0};
	struct snapshot s;
	int signo, r = 0;
	unsigned what = terminal_wait(f, signals, (struct pollfd){.fd = fileno(p->w->cli->out)}, &signo);
	int64_t now = fp_now_ms();
	enum feed_event event;

	if ((what & TERMINAL_HUNG_UP) != 0)
		return -EPIPE;
	event = feed_step(f, now, &s, &no);
	if (event == FEED_REFUSED) {
		*ret_code = cli_say(p->w->cli, no.code, "%s", no.why.text);
		return 1;
	}
	if (event == FEED_SNAPSHOT && view_take(&p->w->view, &s, now) < 0)
		return -ENOMEM;
	if (signo == SIGWINCH)
		r = resize(p);
	if (r == 0)
		r = tell(p, feed_news(f, now));
	if (r == 0 && (event == FEED_SNAPSHOT || signo == SIGWINCH))
		r = show(p, feed_news(f, now));
	return r;
}

int watch_run(struct watch *w)
{
	struct picture p = {.w = w, .draws = !w->bare && terminal_is(w->cli->out), .style = {.colour = terminal_has_colour(w->cli->out)}};
	struct fp_err err = {.code = 0};
	fp_autoclose int signals = -1;
	struct feed f;
	int code = feed_open(&f, w->cli, w->pool, w->interval_ms), r = 0;

	if (code != 0)
		return code;
	(void)signal(SIGPIPE, SIG_IGN); /* a reader that goes is an end, not a failure */
	if (p.draws && terminal_signals((const int[]){SIGWINCH, 0}, &signals, &err) < 0)
		r = -err.code;
	if (p.draws)
		resize(&p);
	while (r == 0)
		r = turn(&p, &f, signals, &code);
	feed_close(&f);
	view_fini(&w->view);
	if (r < 0 && r != -EPIPE)
		return cli_say(w->cli, FCGIPM_EXIT_NO, "cannot write the answer: %s", strerror(-r));
	return code;
}
