/* Programs and their requests (runs in httpd's children).
 *
 * What a program says ends with its standard output; httpd has to know besides whether it was killed, for what it has said is not all then.  So the broker's word
 * that it has ended is waited for a moment, unless Content-Length says that nothing is missing; a program that closes its output and goes on may do so.
 */
#include "mod_fcgipm/run.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "mod_fcgipm/config.h"
#include "mod_fcgipm/counters.h"
#include "mod_fcgipm/http_client.h"
#include "mod_fcgipm/module.h"
#include "mod_fcgipm/refusals.h"
#include "mod_fcgipm/script_log.h"

APLOG_USE_MODULE(fcgipm);

enum {
	BUFFER = 60 * 1024, /* below httpd's FlushMaxThreshold: passing on what fits never waits for the client */
	FLUSH_MS = 10, /* a program that is silent for so long has paused, and is not just ending */
	QUIET_MS = 20, /* only then it is asked whether it has begun, and again after twice, four times that and so on */
	LOOK_MOST_MS = 1000, /* but no later */
	BEGINNING_MS = 500, /* that a filter is given for its first word, where it is wanted at once */
	ENDING_MS = 100, /* between the end of its output and its own */
	BLIND_MS = 20, /* between looks at a client that has no socket of its own */
	BLIND_BODY_MS = 2, /* ... and is to send something */
};

enum { IN, OUT, ERR };
enum watched { WATCH_IN, WATCH_OUT, WATCH_ERR, WATCH_NEWS, WATCH_CLIENT, WATCH_COUNT };

static void fail(struct run *n, enum failure f, const char *detail)
{
	if (n->failure != FAILURE_NONE)
		return;
	n->failure = f;
	n->detail = *detail != '\0' ? apr_pstrcat(n->r->pool, n->about, ": ", detail, NULL) : n->about;
	n->answered = true;
}

/* The client has gone: so does the program, by the broker's rules. */
static void leave(struct run *n)
{
	if (n->over)
		return;
	counters_add(n->profile->counters, COUNTER_ABORTED, 1);
	n->answer.client_left = true;
	n->r->connection->aborted = 1;
	n->over = n->aborted = n->answered = true;
}

/* ---- why it does not run ---- */

static void fail_refused(struct run *n)
{
	const struct program *p = &n->program;

	fail(n, refusal_failure(p->refusal), p->why);
}

/* ---- beginning ---- */

static void start(struct run *n)
{
	struct fcgipm_error err = {.code = 0};
	int r = program_begin(&n->program, n->r, config_of_server(n->r->server)->brokers, &n->what, &err);

	n->asked_ms = n->active_ms = fp_now_ms();
	n->look_ms = n->asked_ms + QUIET_MS;
	if (r < 0)
		fail(n, n->profile->local ? refusal_of_local(r) : refusal_of_error(r), apr_pstrdup(n->r->pool, err.text));
	else if (n->program.stdio[IN] >= 0)
		(void)fcntl(n->program.stdio[IN], F_SETFL, O_WRONLY | O_NONBLOCK);
}

static apr_status_t run_cleanup(void *ctx)
{
	struct run *n = ctx;

	if (n->profile->local && getpid() != n->owner)
		return APR_SUCCESS; /* httpd's own copy, killed on its way to exec: it hears SIGTERM as httpd does */
	program_end(&n->program, !n->aborted && n->failure == FAILURE_NONE && n->error == 0);
	gauges_add(n->profile->counters, GAUGE_CURRENT, -1);
	__atomic_sub_fetch(&n->profile->waiting, 1, __ATOMIC_RELAXED);
	return APR_SUCCESS;
}

static struct pool_counters *counters_of_profile(request_rec *r, struct exec_profile *p)
{
	if (__atomic_load_n(&p->counters, __ATOMIC_RELAXED) == NULL)
		__atomic_store_n(&p->counters, counters_of(config_of_server(r->server)->counters, apr_pstrcat(r->pool, COUNTERS_EXEC, p->name, NULL)),
				 __ATOMIC_RELAXED);
	return p->counters;
}

static struct run *run_new(request_rec *r, const struct run_wish *wish)
{
	struct run *n = apr_palloc(r->pool, sizeof(*n));
	struct pool_counters *counters = counters_of_profile(r, wish->profile);

	memset(n, 0, offsetof(struct run, errors));
	n->errors.len = 0;
	n->r = r;
	n->owner = getpid();
	n->patience_ms = BEGINNING_MS;
	n->profile = wish->profile;
	n->about = wish->about;
	n->input = wish->input;
	n->failure = FAILURE_NONE;
	n->client = http_client_fd(r);
	n->program = (struct program){.r = r, .pidfd = -1, .stdio = {-1, -1, -1}};
	n->timeout_ms = apr_time_as_msec(config_timeout(r));
	gauges_add(counters, GAUGE_CURRENT, 1);
	counters_add(counters, COUNTER_REQUESTS, 1);
	__atomic_add_fetch(&wish->profile->waiting, 1, __ATOMIC_RELAXED);
	apr_pool_cleanup_register(r->pool, n, run_cleanup, apr_pool_cleanup_null);
	return n;
}

static bool is_crowded(const struct run *n)
{
	int max = config_of(n->r)->max_waiting;

	return max > 0 && __atomic_load_n(&n->profile->waiting, __ATOMIC_RELAXED) > max;
}

int run_begin(struct run **ret, request_rec *r, const struct run_wish *wish)
{
	struct run *n = run_new(r, wish);
	bool has_input = wish->input == RUN_IS_FED;
	int status = OK;

	body_init_none(&n->body, r);
	if (wish->input == RUN_READS_BODY)
		status = body_init_streamed(&n->body, r);
	has_input = has_input || !n->body.ended;
	n->what = (struct fcgipm_program){.profile = n->profile->local ? NULL : n->profile->name,
					  .argv = wish->argv,
					  .envp = wish->envp,
					  .directory = wish->directory,
					  .stdio = {has_input ? PROGRAM_PIPE : PROGRAM_NULL, PROGRAM_PIPE, PROGRAM_PIPE}};
	answer_init(&n->answer, r, &wish->answer);
	if (status != OK) {
		n->error = status;
		apr_pool_cleanup_run(r->pool, n, run_cleanup);
		return status;
	}
	n->log = wish->input == RUN_READS_BODY ? script_log_begin(r) : NULL;
	if (is_crowded(n))
		fail(n, FAILURE_EXEC_WAITING, "");
	else
		start(n);
	n->over = n->failure != FAILURE_NONE;
	*ret = n;
	return OK;
}

/* A connection to the broker that had lain idle was of no use any more, which showed too late.  Nothing has come of it: once more, by another one. */
static bool try_again(struct run *n)
{
	if (n->retried || !n->program.used || n->program.pid != 0 || n->body.taken || n->left_len > 0 || n->answer.head.len > 0)
		return false;
	n->retried = true;
	program_end(&n->program, false);
	start(n);
	return true;
}

/* ---- input ---- */

static void fail_body(struct run *n)
{
	if (n->r->connection->aborted || APR_STATUS_IS_EOF(n->body.error) || APR_STATUS_IS_ECONNRESET(n->body.error)) {
		leave(n);
		return;
	}
	ap_log_rerror(APLOG_MARK, APLOG_ERR, n->body.error, n->r, "FP0205: %s: the request's body cannot be read", n->about);
	n->error = ap_map_http_request_error(n->body.error, HTTP_BAD_REQUEST);
	n->over = n->answered = true;
}

/* More of the body to be written; false: none now, or none at all. */
static bool next_input(struct run *n)
{
	enum body_state s;

	if (n->input != RUN_READS_BODY)
		return false;
	s = body_next(&n->body, &n->left, &n->left_len);
	if (s == BODY_FED && n->left_len == 0)
		program_close(&n->program, IN);
	else if (s == BODY_FED)
		script_log_body(n->log, n->left, n->left_len);
	else
		n->left_len = 0;
	n->wants_body = s == BODY_LATER;
	if (s == BODY_FAILED)
		fail_body(n);
	if (s == BODY_LATER && n->answer.stage == ANSWER_HEAD)
		body_invite(&n->body);
	return s == BODY_FED && n->left_len > 0;
}

/* It has closed its input, or ended: what it does not want is not read, and httpd throws it away. */
static void close_input(struct run *n)
{
	program_close(&n->program, IN);
	n->left_len = 0;
}

static void write_input(struct run *n)
{
	n->wants_body = false;
	while (n->program.stdio[IN] >= 0 && !n->over && (n->left_len > 0 || next_input(n))) {
		ssize_t done = write(n->program.stdio[IN], n->left, n->left_len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && errno == EAGAIN)
			return;
		if (done < 0) {
			close_input(n);
			return;
		}
		n->left += done;
		n->left_len -= (size_t)done;
		n->active_ms = fp_now_ms();
	}
}

/* ---- output ---- */

/* 0: it has come to its end, and is closed. */
static size_t read_pipe(struct run *n, int which, short events, char *buf)
{
	ssize_t len = 0;

	if ((events & POLLIN) != 0)
		do
			len = read(n->program.stdio[which], buf, BUFFER);
		while (len < 0 && errno == EINTR);
	if (len <= 0 || ((events & POLLHUP) != 0 && len < BUFFER)) /* nobody can write any more, and this was all */
		program_close(&n->program, which);
	return len > 0 ? (size_t)len : 0;
}

static enum failure of_program(enum failure f)
{
	switch (f) {
	case FAILURE_NONE:
		return FAILURE_NONE;
	case FAILURE_NO_OUTPUT:
		return FAILURE_EXEC_NO_OUTPUT;
	case FAILURE_TRUNCATED:
		return FAILURE_EXEC_CUT_SHORT;
	default:
		return FAILURE_EXEC_MALFORMED;
	}
}

static void take_output(struct run *n, const char *bytes, size_t len)
{
	enum failure f;

	n->heard = n->heard || len > 0;
	if (n->answered)
		return;
	if (n->log != NULL && n->answer.stage == ANSWER_HEAD)
		script_log_output(n->log, bytes, len);
	f = of_program(answer_take(&n->answer, bytes, len));
	if (f != FAILURE_NONE) {
		fail(n, f, n->answer.why != NULL ? n->answer.why : "");
		return;
	}
	answer_pass(&n->answer, config_of(n->r)->flush == FLUSH_ON);
	if (n->answer.client_left)
		leave(n);
}

static void read_outputs(struct run *n, const struct pollfd p[])
{
	char *buf;
	size_t len;

	if (p[WATCH_OUT].revents == 0 && p[WATCH_ERR].revents == 0)
		return;
	buf = apr_bucket_alloc(BUFFER, n->r->connection->bucket_alloc);
	if (p[WATCH_ERR].revents != 0) {
		len = read_pipe(n, ERR, p[WATCH_ERR].revents, buf);
		stderr_take(&n->errors, n->r, &n->profile->errors, buf, len);
	}
	if (p[WATCH_OUT].revents != 0) {
		len = read_pipe(n, OUT, p[WATCH_OUT].revents, buf);
		take_output(n, buf, len);
		if (n->program.stdio[OUT] < 0)
			n->closed_ms = fp_now_ms();
	}
	apr_bucket_free(buf);
	if (!n->answered) /* what nobody gets is read only so that the program can come to its end, for a while */
		n->active_ms = fp_now_ms(); /* behind what the client may have taken its time for */
}

/* ---- the end of the answer ---- */

static bool is_running(const struct run *n)
{
	return n->program.state == PROGRAM_ASKED || n->program.state == PROGRAM_STARTED;
}

/* Whether what came is all, as far as can be known. */
static bool is_decided(const struct run *n)
{
	if (n->program.state == PROGRAM_ASKED)
		return false; /* a refusal may be on its way */
	return n->program.state != PROGRAM_STARTED || n->answer.left == 0 || fp_now_ms() - n->closed_ms >= ENDING_MS;
}

static bool was_killed(const struct program *p)
{
	return p->state == PROGRAM_ENDED && (WIFSIGNALED(p->end.status) || p->end.why != FCGIPM_ENDED_BY_ITSELF);
}

static void judge(struct run *n)
{
	const struct program *p = &n->program;
	enum failure f;

	if (p->state == PROGRAM_REFUSED)
		fail_refused(n);
	else if (p->state == PROGRAM_LOST && try_again(n))
		return;
	else if (p->state == PROGRAM_LOST)
		fail(n, FAILURE_EXEC_LOST, p->why);
	else if (was_killed(p) && n->answer.left != 0)
		fail(n, FAILURE_EXEC_CUT_SHORT, program_how(p));
	if (n->failure != FAILURE_NONE)
		return;
	f = of_program(answer_end(&n->answer));
	if (f != FAILURE_NONE)
		fail(n, f, n->answer.why != NULL ? apr_pstrcat(n->r->pool, n->answer.why, ", ", program_how(p), NULL) : program_how(p));
	n->answered = true;
}

/* Standard error of a program that has ended, where something that it left behind keeps that open. */
static void drain_errors(struct run *n)
{
	struct pollfd p = {.fd = n->program.stdio[ERR], .events = POLLIN};
	char buf[STDERR_LINE_MAX];
	ssize_t len;

	while (poll(&p, 1, 0) == 1 && (len = read(p.fd, buf, sizeof(buf))) > 0)
		stderr_take(&n->errors, n->r, &n->profile->errors, buf, (size_t)len);
	program_close(&n->program, ERR);
}

static void settle(struct run *n)
{
	if (n->over || n->program.stdio[OUT] >= 0)
		return;
	if (!n->answered && is_decided(n))
		judge(n);
	if (!n->answered)
		return;
	if (n->program.stdio[ERR] >= 0 && !is_running(n))
		drain_errors(n);
	n->over = n->program.stdio[ERR] < 0;
}

/* ---- waiting ---- */

/* The client takes no more just now: what the program has to say waits in its pipe, and what the client has to say is not held up by it. */
static bool is_behind(const struct run *n)
{
	return n->client >= 0 && n->r->connection->data_in_output_filters;
}

/* Not that it has begun, which would wake us once more for nothing.  One that does not begin lets go of its descriptors. */
static bool wants_news(const struct run *n)
{
	return n->program.stdio[OUT] < 0 && is_running(n);
}

static void watch(const struct run *n, struct pollfd p[])
{
	const int *fds = n->program.stdio;
	bool behind = is_behind(n), news = wants_news(n);
	int client = (n->wants_body ? POLLIN : POLLRDHUP) | (behind ? POLLOUT : 0);

	p[WATCH_IN] = (struct pollfd){.fd = n->left_len > 0 ? fds[IN] : -1, .events = POLLOUT};
	p[WATCH_OUT] = (struct pollfd){.fd = behind ? -1 : fds[OUT], .events = POLLIN};
	p[WATCH_ERR] = (struct pollfd){.fd = fds[ERR], .events = POLLIN};
	p[WATCH_NEWS] = (struct pollfd){.fd = news ? program_fd(&n->program) : -1, .events = POLLIN};
	p[WATCH_CLIENT] = (struct pollfd){.fd = n->client, .events = (short)client};
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static bool may_flush(const struct run *n)
{
	return n->answer.unflushed && config_of(n->r)->flush != FLUSH_OFF && n->program.stdio[OUT] >= 0 && !is_behind(n);
}

static int64_t silence_ms(const struct run *n)
{
	return is_behind(n) ? apr_time_as_msec(n->r->server->timeout) : n->timeout_ms;
}

static int wait_ms(const struct run *n)
{
	int64_t now = fp_now_ms(), end = n->active_ms + silence_ms(n);

	if (may_flush(n))
		end = least(end, n->active_ms + FLUSH_MS);
	if (n->program.state == PROGRAM_ASKED && !wants_news(n))
		end = least(end, n->look_ms);
	if (n->program.stdio[OUT] < 0 && !n->answered && n->program.state == PROGRAM_STARTED)
		end = least(end, n->closed_ms + ENDING_MS);
	end = least(end, now + (n->client >= 0 ? HTTP_CLIENT_LOOK_MS : n->wants_body ? BLIND_BODY_MS : BLIND_MS));
	return end <= now ? 0 : (int)least(end - now, INT_MAX);
}

/* In the queue nobody is silent but the broker. */
static void end_silence(struct run *n)
{
	bool queued;

	if (is_behind(n) && !n->answered) {
		leave(n);
		return;
	}
	n->over = true;
	if (n->answered)
		return;
	queued = n->program.state == PROGRAM_ASKED;
	program_cancel(&n->program);
	fail(n, queued ? FAILURE_EXEC_NO_TURN : FAILURE_EXEC_SILENCE, "");
}

static void take_news(struct run *n)
{
	enum program_state before = n->program.state;

	program_look(&n->program);
	if (before == PROGRAM_ASKED && n->program.state == PROGRAM_STARTED)
		n->active_ms = fp_now_ms();
}

static void tick(struct run *n)
{
	int64_t now = fp_now_ms();
	bool silent = !n->over && now - n->active_ms >= silence_ms(n);

	if (n->program.state == PROGRAM_ASKED && (now >= n->look_ms || silent)) {
		take_news(n);
		n->look_ms = now + least(now - n->asked_ms, LOOK_MOST_MS);
	}
	if (may_flush(n) && now - n->active_ms >= FLUSH_MS) {
		answer_pass(&n->answer, true);
		if (n->answer.client_left)
			leave(n);
	}
	if (!n->over && now - n->active_ms >= silence_ms(n))
		end_silence(n);
}

static void take_client(struct run *n, short events)
{
	if ((events & POLLOUT) != 0) {
		http_client_write(n->r->connection);
		n->active_ms = fp_now_ms();
	}
	if (http_client_has_left(n->r, events, n->wants_body))
		leave(n);
}

static void turn(struct run *n, int most_ms)
{
	struct pollfd p[WATCH_COUNT];
	int ms, got;

	n->client = http_client_fd(n->r);
	ms = wait_ms(n);
	watch(n, p);
	got = poll(p, WATCH_COUNT, most_ms >= 0 && most_ms < ms ? most_ms : ms);
	if (got < 0)
		return; /* interrupted */
	take_client(n, got > 0 ? p[WATCH_CLIENT].revents : 0);
	if (n->over)
		return;
	if (p[WATCH_NEWS].revents != 0)
		take_news(n);
	read_outputs(n, p);
	if (got == 0)
		tick(n);
	settle(n);
}

void run_wait(struct run *n)
{
	if (n->input != RUN_READS_BODY)
		close_input(n);
	while (!n->over) {
		write_input(n);
		if (!n->over)
			turn(n, -1);
	}
}

bool run_feed(struct run *n, const char *at, size_t len)
{
	n->left = at;
	n->left_len = len;
	n->active_ms = fp_now_ms(); /* until now it was for others to say something */
	while (n->left_len > 0 && !n->over && n->program.stdio[IN] >= 0) {
		write_input(n);
		if (n->left_len > 0)
			turn(n, -1);
	}
	n->left_len = 0;
	return !n->over && n->program.stdio[IN] >= 0;
}

/* A program may need a while to begin, and then it may be of the kind that says nothing until it has all: that is found out once. */
void run_flush(struct run *n)
{
	int64_t end = fp_now_ms() + n->patience_ms, left;

	n->heard = false;
	n->active_ms = fp_now_ms();
	while (!n->over && !n->heard && (left = end - fp_now_ms()) > 0)
		turn(n, (int)left);
	n->patience_ms = FLUSH_MS;
	if (!n->over && may_flush(n))
		answer_pass(&n->answer, true);
}

/* ---- the end ---- */

static int end_failed(struct run *n)
{
	request_rec *r = n->r;
	int status = failure_tell(r, n->profile->name, n->profile->counters, n->failure, n->detail);

	if (n->log != NULL && (n->failure == FAILURE_EXEC_MALFORMED || n->failure == FAILURE_EXEC_NO_OUTPUT))
		script_log_failed(n->log, status);
	else if (n->log != NULL)
		script_log_error(r, status, n->detail, strlen(n->detail));
	return n->answer.part ? status : answer_fail(&n->answer, status);
}

int run_end(struct run *n)
{
	request_rec *r = n->r;
	int status = OK;

	stderr_end(&n->errors, r, &n->profile->errors);
	if (n->failure != FAILURE_NONE)
		status = end_failed(n);
	else if (n->error != 0)
		status = answer_fail(&n->answer, n->error);
	else if (n->answer.error != 0)
		status = n->answer.error;
	apr_pool_cleanup_run(r->pool, n, run_cleanup);
	return n->answer.redirect != NULL && n->failure == FAILURE_NONE && !n->aborted ? answer_redirect(&n->answer) : status;
}
