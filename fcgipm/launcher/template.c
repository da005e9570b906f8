/* Templates (launcher process). */
#include "fcgipm/launcher/template.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/link.h"
#include "fcgipm/launcher/waste.h"
#include "fcgipm/wire/dgram.h"
#include "include/fcgipm/board.h"

enum { STRANGE_MAX = 16, DRAIN_MAX = 4096 };

static void hook_ready(void *ctx, uint32_t events);

int template_open(struct worker *t, int *ret_theirs)
{
	const int on = 1;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	if (setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0) {
		close(pair[0]);
		close(pair[1]);
		return -errno;
	}
	wire_let_fds(pair[0], false);
	t->hook = (struct loop_source){.fd = pair[0], .events = EPOLLIN, .ready = hook_ready, .ctx = t};
	*ret_theirs = pair[1];
	return 0;
}

void template_watch(struct launcher *l, struct worker *t)
{
	loop_watch(&l->loop, &t->hook);
}

/* ---- orders ---- */

/* False: it is none of the template's any more. */
static bool unlink_order(struct worker *t, const struct worker *w)
{
	struct worker **at = &t->orders;

	while (*at != NULL && *at != w)
		at = &(*at)->next_order;
	if (*at == NULL)
		return false;
	*at = w->next_order;
	return true;
}

/* Nothing keeps a manager from giving one slot to two: the first is as good as the other. */
static struct worker *take_order(struct worker *t, uint32_t slot)
{
	struct worker *w = t->orders;

	while (w != NULL && w->slot != slot)
		w = w->next_order;
	if (w != NULL)
		unlink_order(t, w);
	return w;
}

static void order_ends(struct launcher *l, struct worker *w)
{
	loop_disarm(&l->loop, &w->order_limit);
	w->ordered_from = NULL;
}

static void order_fails(struct launcher *l, struct worker *w, int error, const char *why)
{
	order_ends(l, w);
	if (w->order_manager == l->manager_starts) {
		link_answer_code(l, w->order_seq, -error, why);
	} else { /* its successor knows it by its id */
		w->stage = WIRE_STAGE_KILLED;
		link_worker(l, w);
	}
	worker_forget(l, w);
}

static void order_overdue(void *ctx);

static void order_enter(struct launcher *l, struct worker *t, struct worker *w, int64_t until_ms)
{
	w->next_order = t->orders;
	t->orders = w;
	w->order_limit = (struct loop_timer){.fire = order_overdue, .ctx = w};
	loop_arm(&l->loop, &w->order_limit, until_ms);
}

static void drain(struct launcher *l, struct worker *t);

/* Orders are obeyed one after the other: as long as the template answers, others wait their turn.  It may be we who have stood still: what it has said meanwhile comes
 * first, and may be of this very order. */
static void order_overdue(void *ctx)
{
	struct worker *w = ctx;
	struct worker *t = w->ordered_from;
	struct launcher *l = t->child.launcher;

	drain(l, t);
	if (!unlink_order(t, w))
		return;
	if (t->answered_ms + SPAWN_LIMIT_MS > fp_now_ms()) {
		order_enter(l, t, w, t->answered_ms + SPAWN_LIMIT_MS);
		return;
	}
	order_fails(l, w, ETIMEDOUT, "the template did not fork in time");
}

int template_order(struct launcher *l, struct worker *t, struct worker *w, int output, uint32_t seq)
{
	struct hook_word word = {.kind = HOOK_FORK, .value = w->slot};
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct iovec v = {.iov_base = &word, .iov_len = sizeof(word)};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &output, sizeof(output));
	if (sendmsg(t->hook.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(word))
		return errno == EAGAIN ? -EAGAIN : -ESRCH;
	w->order_seq = seq;
	w->order_manager = l->manager_starts;
	w->ordered_from = t;
	order_enter(l, t, w, fp_now_ms() + SPAWN_LIMIT_MS);
	return 0;
}

void template_close(struct launcher *l, struct worker *t)
{
	while (t->orders != NULL)
		order_fails(l, take_order(t, t->orders->slot), ESRCH, "the template has ended");
	loop_unwatch(&l->loop, &t->hook);
	waste_socket(l, &t->hook.fd);
}

/* ---- what it says ---- */

/* Ours to wait for, so that its number is its own until we have reaped it. */
static bool is_child(pid_t pid)
{
	siginfo_t info;

	return pid > 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

/* A template that talks without being asked is ended: it would keep us busy. */
static void refuse(struct launcher *l, struct worker *t, pid_t from)
{
	if (t->strange++ == 0)
		log_warn("template.refused", KS("pool", t->pool->name), KI("pid", from));
	if (t->strange == STRANGE_MAX)
		worker_signal(l, t, SIGKILL);
}

/* A worker has come.  The manager that asked may be gone; its successor knows that it was to come. */
static void come(struct launcher *l, struct worker *t, uint32_t slot, const struct ucred *from)
{
	struct worker *w = from->uid == t->uid && !child_is_known(l, from->pid) ? take_order(t, slot) : NULL;
	struct wire_worker_id id;
	int pidfd;

	if (w == NULL) {
		if (is_child(from->pid) && !child_is_known(l, from->pid))
			kill(from->pid, SIGKILL); /* too late, or unasked for: nobody would know of it, and it would serve */
		refuse(l, t, from->pid);
		return;
	}
	pidfd = is_child(from->pid) ? (int)syscall(SYS_pidfd_open, from->pid, 0) : -1;
	if (pidfd < 0) {
		order_fails(l, w, ESRCH, "the new worker ended at once"); /* perhaps it has served, and gone */
		return;
	}
	order_ends(l, w);
	worker_adopt(l, w, from->pid, pidfd);
	if (w->order_manager != l->manager_starts || l->link.fd < 0) {
		link_worker(l, w);
		return;
	}
	id.worker = w->id;
	link_answer(l, w->order_seq, &(struct wire_answer){.value = w->id, .number = from->pid, .text = ""}, &w->output.fd, w->output.fd >= 0 ? 1 : 0);
	link_started(l, &id);
}

static void hooked(struct launcher *l, struct worker *t, uint32_t reason)
{
	struct wire_hooked m = {.worker = t->id, .reason = (uint8_t)reason};

	if (t->hooked || reason >= HOOK_REASON_COUNT || t->how != WIRE_START_TEMPLATE) {
		refuse(l, t, t->child.pid);
		return;
	}
	t->hooked = reason == HOOK_REASON_NONE;
	if (!t->hooked)
		worker_is_no_template(l, t);
	link_hooked(l, &m);
}

static void cannot_fork(struct launcher *l, struct worker *w, uint32_t error)
{
	char why[128];

	snprintf(why, sizeof(why), "the template cannot fork: %s", strerror((int)error));
	order_fails(l, w, error == EAGAIN || error == ENOMEM ? ENOMEM : EIO, why); /* no room, as it may be for a while, or a fault of its own */
}

static void take_word(struct launcher *l, struct worker *t, const struct hook_word *w, const struct ucred *from)
{
	bool itself = from->pid == t->child.pid;
	struct worker *lost;

	t->answered_ms = fp_now_ms();
	if (w->kind == HOOK_HELLO)
		come(l, t, w->value, from);
	else if (w->kind == HOOK_READY && itself)
		hooked(l, t, HOOK_REASON_NONE);
	else if (w->kind == HOOK_REFUSED && itself && w->value != HOOK_REASON_NONE)
		hooked(l, t, w->value);
	else if (w->kind == HOOK_FAILED && itself && (lost = take_order(t, HOOK_FAILURE_SLOT(w->value))) != NULL)
		cannot_fork(l, lost, HOOK_FAILURE_ERROR(w->value));
	else
		refuse(l, t, from->pid);
}

/* What came on the hook. */
struct heard {
	ssize_t n;
	int flags;
	struct hook_word word;
	struct ucred from;
};

static void hear(int hook, int flags, struct heard *ret)
{
	union {
		char bytes[CMSG_SPACE(sizeof(struct ucred))]; /* who sent it, and nothing else */
		struct cmsghdr align;
	} control;
	struct iovec v = {.iov_base = &ret->word, .iov_len = sizeof(ret->word)};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	const struct cmsghdr *c;

	*ret = (struct heard){.n = 0};
	ret->n = recvmsg(hook, &m, MSG_DONTWAIT | flags);
	if (ret->n < 0)
		return;
	ret->flags = m.msg_flags;
	c = CMSG_FIRSTHDR(&m);
	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS && c->cmsg_len >= CMSG_LEN(sizeof(ret->from)))
		memcpy(&ret->from, CMSG_DATA(c), sizeof(ret->from));
}

/* False when nothing more is to be had.  Descriptors that come along (before Linux 6.16 nobody can forbid them) stay in the socket, to be closed elsewhere; nobody
 * honest sends any. */
static bool hook_take(struct launcher *l, struct worker *t)
{
	struct heard h;
	bool descriptors;

	hear(t->hook.fd, MSG_PEEK, &h);
	if (h.n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (h.n < 0 && errno == ECONNRESET)
		return true; /* it ended with orders unread; what it has said before lies behind that */
	descriptors = h.n > 0 && (h.flags & MSG_CTRUNC) != 0;
	if (descriptors)
		worker_signal(l, t, SIGKILL);
	if (descriptors || h.n <= 0) {
		if (t->hooked)
			worker_signal(l, t, SIGKILL); /* it takes no more orders, if it still lives */
		template_close(l, t);
		return false;
	}
	hear(t->hook.fd, 0, &h);
	if (h.n == sizeof(h.word) && (h.flags & MSG_TRUNC) == 0)
		take_word(l, t, &h.word, &h.from);
	else
		refuse(l, t, h.from.pid);
	return true;
}

static void hook_ready(void *ctx, uint32_t events)
{
	struct worker *t = ctx;

	(void)events;
	hook_take(t->child.launcher, t);
}

static void drain(struct launcher *l, struct worker *t)
{
	for (int i = 0; i < DRAIN_MAX && t->hook.fd >= 0 && hook_take(l, t); i++)
		;
}

void template_seen_serving(struct launcher *l, struct worker *t)
{
	drain(l, t);
	if (!t->hooked && t->how == WIRE_START_TEMPLATE)
		worker_is_no_template(l, t);
}

/* Whoever came before the shutdown is heard, and is no stranger; who comes after it is told so, and ends. */
void template_ended(struct launcher *l, struct worker *t)
{
	shutdown(t->hook.fd, SHUT_RD);
	drain(l, t);
	template_close(l, t);
}
