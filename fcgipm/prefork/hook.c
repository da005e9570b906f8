/* The first accept.  A worker says that it is ready; a template waits for orders and forks, and each new worker returns from here into accept. */
#include <linux/sched.h>
#include <sys/prctl.h>

#include "fcgipm/prefork/prefork.h"

static void say(enum hook_kind kind, uint32_t value)
{
	while (call(SYS_sendto, BOARD_HOOK_FD, (long)&(struct hook_word){.kind = kind, .value = value}, sizeof(struct hook_word), MSG_NOSIGNAL) < 0 &&
	       errno == EINTR)
		;
}

/* clone3() takes no exit signal beside CLONE_PARENT; the new worker has the template's.  The C library keeps its thread's number where PR_GET_TID_ADDRESS says. */
long hook_clone(void)
{
	struct clone_args args = {.flags = CLONE_PARENT};
	uintptr_t tid = 0, robust = 0, robust_len = 0;

	if (call(SYS_prctl, PR_GET_TID_ADDRESS, (long)&tid, 0, 0) == 0 && tid != 0) {
		args.flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
		args.child_tid = tid;
	}
	call(SYS_get_robust_list, 0, (long)&robust, (long)&robust_len, 0);
	long pid = call(SYS_clone3, (long)&args, sizeof(args), 0, 0);
	if (pid == 0 && robust != 0)
		call(SYS_set_robust_list, (long)robust, (long)robust_len, 0, 0);
	return pid;
}

/* False: the launcher has let go of us. */
static bool next_order(struct hook_word *w, int *ret_output)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct iovec v = {.iov_base = w, .iov_len = sizeof(*w)};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	ssize_t n;

	while ((n = recvmsg(BOARD_HOOK_FD, &m, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
		;
	const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	*ret_output = n > 0 && c != NULL && c->cmsg_len >= CMSG_LEN(sizeof(int)) && c->cmsg_type == SCM_RIGHTS ? *(const int *)CMSG_DATA(c) : -1;
	return n == (ssize_t)sizeof(*w);
}

/* The new worker: a session and an output of its own, if there is one (-1: these calls do nothing).  Its number may be 1 or 2, where the application has closed that.
 * No function of the C library is called here: each that the template has not called would be looked up anew in every worker. */
static void become_worker(uint32_t slot, int output)
{
	prefork.pid = (int)call(SYS_getpid, 0, 0, 0, 0);
	prefork.slot = slot;
	prefork.template_ = false;
	call(SYS_setsid, 0, 0, 0, 0);
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		call(SYS_dup3, output, fd, 0, 0);
	call(SYS_close, output > STDERR_FILENO ? output : -1, 0, 0, 0);
	say(HOOK_HELLO, slot);
	call(SYS_close, BOARD_HOOK_FD, 0, 0, 0);
}

/* Returns in each worker. */
static void serve_orders(void)
{
	struct hook_word w;
	int output;

	while (next_order(&w, &output)) {
		long pid = w.kind == HOOK_FORK && w.value < BOARD_SLOTS ? runtime_fork() : -1;

		if (pid == 0) {
			become_worker(w.value, output);
			return;
		}
		syscall(SYS_close, output);
		if (pid < 0)
			say(HOOK_FAILED, w.value);
	}
	_exit(0);
}

/* CLONE_VM changes nothing, and is refused to a process that has threads (unshare(2), EINVAL); /proc need not be there.  One that has just been joined may still end. */
static bool has_threads(void)
{
	int i = 0;

	while (i < 20 && syscall(SYS_unshare, CLONE_VM) < 0 && errno == EINVAL)
		nanosleep(&(struct timespec){.tv_nsec = ++i * 200000}, NULL);
	return i == 20;
}

HOT bool hook_boots(enum hook_reason reason)
{
	if (!prefork.booting || !__atomic_exchange_n(&prefork.booting, false, __ATOMIC_RELAXED))
		return false;
	start_done();
	if (reason == HOOK_REASON_NONE && !runtime_copes_with_threads() && has_threads())
		reason = HOOK_REASON_THREADS;
	prefork.template_ &= cookie_of(BOARD_HOOK_FD) == prefork.hook; /* else the application has closed it: it is a worker like any other */
	if (prefork.template_ && reason != HOOK_REASON_NONE) {
		say(HOOK_REFUSED, reason);
		syscall(SYS_close, BOARD_HOOK_FD);
	} else if (prefork.template_) {
		say(HOOK_READY, 0);
		serve_orders();
	}
	if (reason != HOOK_REASON_NONE)
		board_blind();
	return true;
}
