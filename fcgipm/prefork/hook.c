/* The first accept.  A worker says that it is ready; a template waits for orders and forks, and each new worker returns from here into accept. */
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "fcgipm/prefork/prefork.h"
#include "fcgipm/prefork/sys.h"

enum { OUT_FD_1 = 1, OUT_FD_2 = 2 };
#ifndef PR_GET_TID_ADDRESS
#define PR_GET_TID_ADDRESS 40
#endif

static void say(enum hook_kind kind, uint32_t value)
{
	struct hook_word w = {.kind = kind, .value = value};
	long r;

	do
		r = SYS(sendto, BOARD_HOOK_FD, &w, sizeof(w), MSG_NOSIGNAL, NULL, 0);
	while (r == -EINTR);
}

/* Without a flag of sharing it changes nothing, and is refused to a process that has threads (unshare(2), EINVAL); /proc need not be there. */
static bool has_threads(void)
{
	return SYS(unshare, CLONE_VM) == -EINVAL;
}

/* clone3() takes no exit signal beside CLONE_PARENT; the new worker has the template's.  The C library keeps its thread's number where PR_GET_TID_ADDRESS says. */
long hook_clone(void)
{
	struct clone_args args = {.flags = CLONE_PARENT};
	uintptr_t tid = 0;
	long pid, robust = 0, robust_len = 0;

	if (SYS(prctl, PR_GET_TID_ADDRESS, &tid, 0, 0, 0) == 0 && tid != 0) {
		args.flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
		args.child_tid = tid;
	}
	SYS(get_robust_list, 0, &robust, &robust_len);
	pid = SYS(clone3, &args, sizeof(args));
	if (pid == -ENOSYS) /* a filter that knows no clone3 */
		pid = SYS(clone, args.flags | SIGCHLD, NULL, NULL,
#if defined(__x86_64__)
			  tid, NULL
#else
			  NULL, tid
#endif
		);
	if (pid == 0 && robust != 0)
		SYS(set_robust_list, robust, robust_len);
	return pid;
}

/* The descriptor that came along; -1. */
static int descriptor_of(const struct msghdr *m)
{
	const struct cmsghdr *c = m->msg_controllen >= sizeof(*c) ? m->msg_control : NULL;

	return c != NULL && c->cmsg_type == SCM_RIGHTS && c->cmsg_len >= CMSG_LEN(sizeof(int)) ? *(const int *)CMSG_DATA(c) : -1;
}

/* False: the launcher has let go of us. */
static bool next_order(struct hook_word *w, int *ret_output)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec v = {.iov_base = w, .iov_len = sizeof(*w)};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	long n;

	do
		n = SYS(recvmsg, BOARD_HOOK_FD, &m, MSG_CMSG_CLOEXEC);
	while (n == -EINTR);
	*ret_output = n > 0 ? descriptor_of(&m) : -1;
	return n == (long)sizeof(*w);
}

/* The new worker: a session and an output of its own. */
static void become_worker(uint32_t slot, int output)
{
	prefork.pid = (int)SYS(getpid);
	prefork.slot = slot;
	prefork.template_ = false;
	SYS(setsid);
	if (output >= 0) {
		SYS(dup3, output, OUT_FD_1, 0);
		SYS(dup3, output, OUT_FD_2, 0);
		SYS(close, output);
	}
	say(HOOK_HELLO, slot);
	SYS(close, BOARD_HOOK_FD);
}

/* Returns in each worker. */
static void serve_orders(void)
{
	struct hook_word w;
	int output;

	while (next_order(&w, &output)) {
		long pid = w.kind == HOOK_FORK && w.value < BOARD_SLOTS ? runtime_fork() : -EINVAL;

		if (pid == 0) {
			become_worker(w.value, output);
			return;
		}
		if (output >= 0)
			SYS(close, output);
		if (pid < 0)
			say(HOOK_FAILED, w.value);
	}
	SYS(exit_group, 0);
}

static void first(void)
{
	bool threads = has_threads();

	start_done();
	if (cookie_of(BOARD_HOOK_FD) != prefork.hook)
		prefork.template_ = false; /* the application has closed it: it is a worker like any other */
	if (prefork.template_ && (!threads || runtime_copes_with_threads())) {
		say(HOOK_READY, 0);
		serve_orders();
		threads = false;
	} else if (prefork.template_) {
		say(HOOK_REFUSED, HOOK_REASON_THREADS);
	}
	if (prefork.template_)
		SYS(close, BOARD_HOOK_FD);
	prefork.threaded = threads && !runtime_copes_with_threads();
	if (prefork.threaded)
		__atomic_store_n(&prefork.board->slots[prefork.slot].state, BOARD_BLIND, __ATOMIC_RELEASE);
}

void hook_wait(void)
{
	bool booting = __atomic_exchange_n(&prefork.booting, false, __ATOMIC_RELAXED);

	if (booting)
		first();
	board_step(STEP_WAITS);
	if (booting)
		board_wake();
}
