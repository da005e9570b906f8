/* Clients of the exec broker (launcher process).  Foreign: each may send anything at any time, and leave its answers unread. */
#include "fcgipm/launcher/exec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/profile.h"
#include "fcgipm/launcher/waste.h"
#include "fcgipm/wire/exec.h"
#include "fcgipm/wire/table.h"

#define REFUSAL_TEXT(NAME, number, name, text) [number] = {name, text},
static const struct {
	const char *name, *text;
} refusals[] = {FCGIPM_REFUSALS(REFUSAL_TEXT)};

/* ---- telling ---- */

/* One at a time, too large for a stack. */
static struct wire_dgram out;

static bool tell(struct exec_client *c, const struct wire_wr *w, const int *fds, unsigned nfds)
{
	return wire_end(&out, w) == 0 && wire_send(c->source.fd, &out, fds, nfds) == 0;
}

static bool tell_hello(struct exec_client *c)
{
	struct wire_wr w;

	wire_begin(&out, &w, WIRE_X_HELLO, 0);
	wire_put_x_hello(&w, &(struct wire_x_hello){.version = 1});
	return tell(c, &w, NULL, 0);
}

bool exec_tell_started(struct exec_client *c, int pid, const int *fds, unsigned nfds)
{
	struct wire_wr w;

	wire_begin(&out, &w, WIRE_X_STARTED, 0);
	wire_put_x_started(&w, &(struct wire_x_started){.pid = pid});
	return tell(c, &w, fds, nfds);
}

static bool may_log(struct exec_log *log)
{
	int64_t now = fp_now_ms(), back = (now - log->since_ms) * EXEC_LOG_RATE / 1000;

	if (back > 0) {
		log->spent = back > log->spent ? 0 : log->spent - back;
		log->since_ms = now;
	}
	if (log->spent < EXEC_LOG_BURST) {
		log->spent++;
		return true;
	}
	log->missed++;
	return false;
}

static void count_refusal(const struct exec_client *c, enum fcgipm_refusal code)
{
	struct profile *p = profile_find(c->launcher, c->profile);

	if (p == NULL)
		return;
	if (code == FCGIPM_REFUSED_BUSY)
		p->figures.busy++;
	else
		p->figures.refused++;
	ledger_tell(p);
}

static void log_refusal(struct exec_client *c, enum fcgipm_refusal code, const char *text)
{
	struct exec *x = &c->launcher->exec;
	struct exec_log *log = code == FCGIPM_REFUSED_CLIENT ? &x->strangers : &x->log;

	x->refused++;
	count_refusal(c, code);
	if (!may_log(log))
		return;
	log_warn("exec.refused", KS("refusal", refusals[code].name), KI("code", code), KS("why", text), KS("profile", c->profile), KS("program", c->program),
		 KI("uid", c->peer.uid), KI("pid", c->peer.pid), KI("count", x->refused), KI("missed", log->missed));
	log->missed = 0;
}

static bool tell_refused(struct exec_client *c, enum fcgipm_refusal code, const char *text)
{
	struct wire_wr w;

	wire_begin(&out, &w, WIRE_X_REFUSED, 0);
	wire_put_x_refused(&w, &(struct wire_x_refused){.code = code, .text = text});
	return tell(c, &w, NULL, 0);
}

bool exec_tell_refused(struct exec_client *c, enum fcgipm_refusal code, const char *text)
{
	if (text == NULL || text[0] == '\0')
		text = refusals[code].text;
	log_refusal(c, code, text);
	return tell_refused(c, code, text);
}

bool exec_tell_cancelled(struct exec_client *c)
{
	return tell_refused(c, FCGIPM_REFUSED_STEP, "cancelled");
}

bool exec_tell_ended(struct exec_client *c, const struct child *child, int status, uint8_t why)
{
	struct wire_wr w;

	wire_begin(&out, &w, WIRE_X_ENDED, 0);
	wire_put_x_ended(&w, &(struct wire_x_ended){.status = status,
						    .user_us = fp_us_of(child->used.ru_utime),
						    .system_us = fp_us_of(child->used.ru_stime),
						    .max_rss_kb = child->used.ru_maxrss,
						    .why = why});
	return tell(c, &w, NULL, 0);
}

/* ---- requests ---- */

void exec_forget_words(struct launcher *l, struct exec_account *a, struct wire_blob *words)
{
	if (words->at == NULL) /* what has none may have outlived its account's clients */
		return;
	l->exec.waiting_bytes -= words->len;
	a->bytes -= words->len;
	free((void *)(uintptr_t)words->at);
	*words = (struct wire_blob){.at = NULL};
}

static void forget_words(struct exec_client *c)
{
	exec_forget_words(c->launcher, c->account, &c->words);
	c->words_refused = FCGIPM_REFUSED_NOT;
}

/* What one account keeps, runs that wait and requests that are still to come alike, leaves room for the others. */
static bool is_full(const struct exec_client *c, size_t more)
{
	if (c->launcher->exec.waiting_bytes + more > EXEC_WAITING_BYTES)
		return true;
	return c->account->uid != 0 && c->account->bytes + more > EXEC_WAITING_BYTES / EXEC_SHARE;
}

static enum fcgipm_refusal add_words(struct exec_client *c, struct wire_blob more)
{
	size_t len = c->words.len + more.len;
	uint8_t *at;

	if (len > WIRE_EXEC_WORDS_MAX)
		return FCGIPM_REFUSED_TOO_LARGE;
	if (is_full(c, more.len))
		return FCGIPM_REFUSED_BUSY;
	at = realloc((void *)(uintptr_t)c->words.at, len + 1);
	if (at == NULL)
		return FCGIPM_REFUSED_RESOURCES;
	memcpy(at + c->words.len, more.at, more.len);
	c->words = (struct wire_blob){.at = at, .len = len};
	c->launcher->exec.waiting_bytes += more.len;
	c->account->bytes += more.len;
	return FCGIPM_REFUSED_NOT;
}

static void keep_words(struct exec_client *c, struct wire_blob more)
{
	if (c->words_refused == FCGIPM_REFUSED_NOT)
		c->words_refused = add_words(c, more);
}

static int on_X_WORDS(void *ctx, struct wire_dgram *d)
{
	struct wire_rd r = wire_body(d);
	struct wire_x_words m;

	if (!wire_read_x_words(&r, &m) || !wire_done(&r))
		return -EBADMSG;
	keep_words(ctx, m.words);
	return 0;
}

static void hold(struct exec_client *c)
{
	c->holds = true;
	c->source.events = EPOLLRDHUP;
	loop_watch(&c->launcher->exec.loop, &c->source);
}

void exec_client_resume(struct exec_client *c)
{
	if (!c->holds)
		return;
	c->holds = false;
	c->source.events = EPOLLIN;
	loop_watch(&c->launcher->exec.loop, &c->source);
}

void exec_client_refuse(struct exec_client *c, enum fcgipm_refusal no, const char *text)
{
	if (!exec_tell_refused(c, no, text) || c->holds)
		exec_client_close(c);
}

/* Of each descriptor, at most one thing. */
static bool is_choice(uint8_t stdio)
{
	return (stdio & 0x88) == 0 && (stdio & stdio >> 4) == 0;
}

static void note_request(struct exec_client *c, const char *profile)
{
	struct wire_rd r = {.at = c->words.at, .len = c->words.len};
	const char *program = wire_get_u32(&r) > 0 ? wire_get_str(&r) : "";

	snprintf(c->profile, sizeof(c->profile), "%s", profile);
	snprintf(c->program, sizeof(c->program), "%s", program);
}

static int on_X_RUN(void *ctx, struct wire_dgram *d)
{
	struct exec_client *c = ctx;
	struct wire_rd r = wire_body(d);
	enum fcgipm_refusal no;
	struct wire_x_run m;

	if (!wire_read_x_run(&r, &m) || !wire_done(&r) || !is_choice(m.stdio) || ((m.stdio & 7) != 0) != d->fds_wait)
		return -EBADMSG;
	keep_words(c, m.words);
	note_request(c, m.profile);
	if ((m.stdio & 7) != 0)
		hold(c);
	no = c->words_refused;
	if (no == FCGIPM_REFUSED_NOT)
		no = run_ask(
			c, &(struct exec_wish){.profile = m.profile, .directory = m.directory, .words = c->words, .given = m.stdio & 7, .null = m.stdio >> 4});
	forget_words(c);
	if (no == FCGIPM_REFUSED_MALFORMED)
		return -EBADMSG;
	if (no != FCGIPM_REFUSED_NOT)
		exec_client_refuse(c, no, NULL);
	return 0;
}

static int on_X_CANCEL(void *ctx, struct wire_dgram *d)
{
	struct exec_client *c = ctx;
	struct wire_rd r = wire_body(d);
	struct wire_x_cancel m;

	if (!wire_read_x_cancel(&r, &m) || !wire_done(&r) || m.how > 1)
		return -EBADMSG;
	if (c->run != NULL)
		run_cancel(c->run, m.how == 1);
	return 0;
}

#define ROW(type, NAME, fields, when, most, least_fds, most_fds)                                                                                               \
	[type] = {.name = #NAME, .handle = on_##NAME, .phases = (when), .max_len = (most), .min_fds = (least_fds), .max_fds = (most_fds)},
static const struct wire_row rows[] = {WIRE_EXEC_REQUESTS(ROW)};

static void client_refuse(struct exec_client *c, const char *why)
{
	exec_tell_refused(c, FCGIPM_REFUSED_MALFORMED, why);
	exec_client_close(c);
}

/* One that asks with descriptors stays where it is, with them. */
static bool stays(const struct exec_client *c, const struct wire_dgram *d)
{
	return d->type == WIRE_X_RUN && d->fds_wait && c->run == NULL;
}

static void client_take(struct exec_client *c, struct wire_dgram *d)
{
	const char *name;
	enum wire_refusal why;

	if (d->fds_wait && !stays(c, d)) {
		client_refuse(c, wire_refusal_name(WIRE_WRONG_FDS));
		return;
	}
	if (!d->fds_wait)
		wire_discard(c->source.fd);
	why = wire_dispatch(&WIRE_TABLE(rows), c->run != NULL ? WIRE_EXEC_ASKED : WIRE_EXEC_IDLE, c, d, &name);
	if (why != WIRE_ACCEPTED)
		client_refuse(c, wire_refusal_name(why)); /* else it may be gone */
}

static void client_ready(void *ctx, uint32_t events)
{
	static struct wire_dgram in;
	struct exec_client *c = ctx;
	int r = c->holds ? 0 : wire_peek(c->source.fd, &in); /* while it holds, there is nothing to hear but that it goes */

	(void)events;
	if (r == 1)
		client_take(c, &in);
	else if (r == -EMSGSIZE || r == -EPROTO)
		client_refuse(c, NULL);
	else if (r != -EAGAIN && r != -EINTR)
		exec_client_close(c);
}

/* ---- coming and going ---- */

static void take_turn(void *ctx, uint32_t events)
{
	struct launcher *l = ctx;
	struct epoll_event e;

	(void)events;
	if (epoll_wait(l->exec.loop.epoll_fd, &e, 1, 0) == 1) {
		struct loop_source *s = e.data.ptr;

		s->ready(s->ctx, e.events);
	}
}

int exec_open(struct launcher *l)
{
	int r = loop_init(&l->exec.loop);

	l->exec.turn = (struct loop_source){.fd = l->exec.loop.epoll_fd, .events = EPOLLIN, .ready = take_turn, .ctx = l};
	return r == 0 ? loop_watch(&l->loop, &l->exec.turn) : r;
}

static struct exec_account *account_of(struct launcher *l, uint32_t uid)
{
	struct exec_account *a = l->exec.accounts;

	while (a != NULL && a->uid != uid)
		a = a->next;
	if (a != NULL || (a = calloc(1, sizeof(*a))) == NULL)
		return a;
	*a = (struct exec_account){.uid = uid, .next = l->exec.accounts};
	l->exec.accounts = a;
	return a;
}

static void account_leave(struct launcher *l, struct exec_account *a)
{
	struct exec_account **at = &l->exec.accounts;

	if (a == NULL || a->clients > 0)
		return;
	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	free(a);
}

void exec_client_close(struct exec_client *c)
{
	struct launcher *l = c->launcher;

	if (c->run != NULL)
		run_abandon(c->run);
	forget_words(c);
	loop_unwatch(&l->exec.loop, &c->source);
	waste_socket(l, &c->source.fd);
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	l->exec.client_count--;
	c->account->clients--;
	account_leave(l, c->account);
	free(c);
}

void exec_clients_close(struct launcher *l)
{
	while (l->exec.clients != NULL)
		exec_client_close(l->exec.clients);
	if (l->exec.turn.ctx != NULL)
		loop_fini(&l->exec.loop);
}

/* An account that no profile names holds no connection here. */
static enum fcgipm_refusal judge(struct launcher *l, struct exec_client *c)
{
	if (l->phase == PHASE_ENDING)
		return FCGIPM_REFUSED_ENDING;
	if (probe_peer(c->source.fd, &c->peer) < 0 || !profiles_permit(l, &c->peer))
		return FCGIPM_REFUSED_CLIENT;
	c->account = account_of(l, c->peer.uid);
	if (c->account == NULL)
		return FCGIPM_REFUSED_RESOURCES;
	if (l->exec.client_count >= EXEC_CLIENTS || (c->peer.uid != 0 && c->account->clients >= EXEC_CLIENTS / EXEC_SHARE))
		return FCGIPM_REFUSED_BUSY;
	c->descends = probe_peer_descends(c->source.fd, c->peer.pid, getpid());
	if (c->descends == -ESRCH)
		return FCGIPM_REFUSED_CLIENT_GONE;
	return c->descends < 0 ? FCGIPM_REFUSED_WORKER : FCGIPM_REFUSED_NOT; /* what is not known is no reason to trust */
}

static void client_enter(struct launcher *l, struct exec_client *c)
{
	c->next = l->exec.clients;
	if (c->next != NULL)
		c->next->at = &c->next;
	c->at = &l->exec.clients;
	l->exec.clients = c;
	l->exec.client_count++;
	c->account->clients++;
}

/* What is no socket of the kind, or not a stranger's, nobody honest hands us; the manager gains nothing by it: the account is the socket's, not the manager's word. */
void exec_client_take(struct launcher *l, int taken)
{
	struct exec_client *c = calloc(1, sizeof(*c));
	int fd = taken;
	enum fcgipm_refusal no;

	if (c == NULL || fp_set_nonblock(fd, true) < 0) {
		free(c);
		waste_socket(l, &fd);
		return;
	}
	c->launcher = l;
	c->source = (struct loop_source){.fd = fd, .events = EPOLLIN, .ready = client_ready, .ctx = c};
	no = judge(l, c);
	if (no != FCGIPM_REFUSED_NOT)
		exec_tell_refused(c, no, NULL);
	else
		wire_let_fds(fd, true); /* a run brings its own */
	if (no == FCGIPM_REFUSED_NOT && tell_hello(c) && loop_watch(&l->exec.loop, &c->source) == 0) {
		client_enter(l, c);
		return;
	}
	account_leave(l, c->account);
	free(c);
	waste_socket(l, &fd);
}
