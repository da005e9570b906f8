/* Workers' output (manager process): pipes to log events, or to the pool's output file.  It never waits for a worker, and a pool that writes
 * without end costs a bounded amount of log. */
#include "fcgipm/manager/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/base/text.h"
#include "fcgipm/manager/manager.h"

enum { OUTPUT_READ = 16384, OUTPUT_LAST_READS = 16, LINE_COST_MS = 1000 / OUTPUT_A_SECOND };

bool output_rate_take(struct output_rate *r, int64_t now_ms)
{
	const int64_t most = (int64_t)OUTPUT_BURST * LINE_COST_MS;
	int64_t gained = now_ms - r->filled_ms;

	r->tokens_ms = gained > most - r->tokens_ms ? most : r->tokens_ms + gained;
	r->filled_ms = now_ms;
	if (r->tokens_ms < LINE_COST_MS)
		return false;
	r->tokens_ms -= LINE_COST_MS;
	return true;
}

static void say_suppressed(evutil_socket_t fd, short what, void *ctx)
{
	struct pool *p = ctx;

	(void)fd;
	(void)what;
	log_warn("worker.output_suppressed", KS("pool", p->name), KI("lines", p->rate.suppressed));
	p->rate.suppressed = 0;
}

void output_rate_init(struct pool *p)
{
	p->rate = (struct output_rate){.tokens_ms = (int64_t)OUTPUT_BURST * LINE_COST_MS, .filled_ms = fp_now_ms()};
	evtimer_assign(&p->rate.say, p->m->base, say_suppressed, p);
}

void output_rate_fini(struct pool *p)
{
	event_del(&p->rate.say);
	if (p->rate.suppressed > 0)
		say_suppressed(-1, 0, p);
}

bool output_may_log(struct pool *p)
{
	if (output_rate_take(&p->rate, fp_now_ms()))
		return true;
	if (p->rate.suppressed++ == 0)
		timer_arm(&p->rate.say, 1000);
	return false;
}

static void tail_keep(struct output *o, const char *line, size_t len)
{
	char **slot = &o->tail[o->tail_next++ % OUTPUT_TAIL];

	free(*slot);
	*slot = strndup(line, len < OUTPUT_TAIL_BYTES ? len : OUTPUT_TAIL_BYTES);
}

void output_tail(const struct output *o, struct fp_text *t)
{
	const char *between = "";

	for (unsigned i = 0; i < OUTPUT_TAIL; i++) {
		const char *line = o->tail[(o->tail_next + i) % OUTPUT_TAIL];

		if (line == NULL)
			continue;
		fp_text_add(t, "%s%s", between, line);
		between = " | ";
	}
}

static bool output_is(const struct pool *p, const char *what)
{
	const struct pool_spec *s = p->current != NULL ? p->current : p->candidate;

	return s != NULL && strcmp(s->set.output, what) == 0;
}

static void take_line(void *ctx, const char *line, size_t len)
{
	struct worker *w = ctx;
	struct pool *p = w->pool;

	if (len == 0)
		return;
	tail_keep(&w->output, line, len);
	if (!output_is(p, "log"))
		return;
	if (output_may_log(p))
		log_info("worker.output", KS("pool", p->name), KI("pid", w->pid), KB("text", line, len));
}

static void to_file(const struct pool *p, const char *bytes, size_t len)
{
	while (p->output_fd >= 0 && len > 0) {
		ssize_t n = write(p->output_fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* a full disk must not stop workers */
		bytes += n;
		len -= (size_t)n;
	}
}

/* 1: more may come; 0: nothing now; -1: the end. */
static int output_read(struct worker *w)
{
	char buf[OUTPUT_READ];
	ssize_t n = read(w->output.fd, buf, sizeof(buf));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0)
		return -1;
	to_file(w->pool, buf, (size_t)n);
	lines_feed(&w->output.lines, buf, (size_t)n, take_line, w);
	return 1;
}

static void output_shut(struct worker *w)
{
	if (w->output.fd < 0)
		return;
	event_del(&w->output.readable);
	lines_end(&w->output.lines, take_line, w);
	fp_close(&w->output.fd);
}

static void output_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct worker *w = ctx;

	(void)fd;
	(void)what;
	if (output_read(w) < 0)
		output_shut(w);
}

void output_open(struct worker *w, int fd)
{
	w->output.fd = fd;
	if (fd < 0)
		return;
	if (fp_set_nonblock(fd, true) < 0 || event_assign(&w->output.readable, w->pool->m->base, fd, EV_READ | EV_PERSIST, output_readable, w) < 0 ||
	    event_add(&w->output.readable, NULL) < 0)
		fp_close(&w->output.fd);
}

void output_drain(struct worker *w)
{
	int r = 1;

	/* A process that was left behind may go on writing into the pipe: it is not read for ever. */
	for (int i = 0; i < OUTPUT_LAST_READS && w->output.fd >= 0 && r > 0; i++)
		r = output_read(w);
	output_shut(w);
}

void output_close(struct worker *w)
{
	output_shut(w);
	for (unsigned i = 0; i < OUTPUT_TAIL; i++)
		free(w->output.tail[i]);
	memset(w->output.tail, 0, sizeof(w->output.tail));
}

static void file_opened(void *ctx, const struct wire_answer *a, struct wire_dgram *d)
{
	struct pool *p = ctx;
	int fd = wire_take_fd(d, 0);

	p->output_opening = false;
	if (p->output_again)
		output_file_want(p, true);
	if (a->code != 0 || fd < 0) {
		log_error("pool.output", KS("pool", p->name), KS("error", a->text));
		fp_close(&fd);
		return;
	}
	fp_close(&p->output_fd);
	p->output_fd = fd;
}

void output_file_want(struct pool *p, bool again)
{
	struct wire_commit m = {.pool = p->name};

	if (p->current == NULL || output_is(p, "log") || output_is(p, "null")) {
		fp_close(&p->output_fd);
		p->output_asked = false;
		return;
	}
	if (p->output_asked && !again)
		return;
	p->output_again = p->output_opening;
	if (p->output_opening)
		return;
	p->output_asked = p->output_opening = true;
	m.generation = p->current->generation;
	link_output(&p->m->link, &m, file_opened, p);
}
