/* The first accept.  A worker says that it is ready; a template waits for orders and forks, and each new worker returns from here into accept. */
#include <sched.h>
#include <sys/prctl.h>

#include "fcgipm/prefork/prefork.h"

static long say(enum hook_kind kind, uint32_t value)
{
	return call(SYS_sendto, BOARD_HOOK_FD, (long)&(struct hook_word){.kind = kind, .value = value}, sizeof(struct hook_word), MSG_NOSIGNAL);
}

/* ---- signals.  A template has the application's handlers and none of its chances to act on what they note: what one notes, each worker after it would have. ---- */

static uint64_t own_mask; /* the application's */

void hook_signals(bool let_in)
{
	call(SYS_rt_sigprocmask, SIG_SETMASK, (long)(let_in ? &own_mask : &(uint64_t){~0ULL}), (long)(let_in ? NULL : &own_mask), sizeof(own_mask));
}

/* ---- forking ---- */

static struct hook_word order;
static bool takes[3]; /* descriptors of the template that were its output, or closed; what the application has itself put there stays */
/* The new worker's output, with the order (-1 none); why there is no new worker; where the C library keeps this thread's number. */
static int output, clone_error, *tid;
static uintptr_t robust, robust_size;

/* A session and an output of its own (without one these calls do nothing), which may have number 1 or 2, where the application has closed that.
 * No function of the C library is called here: each that the template has not called would be looked up anew in every worker. */
static void become_worker(void)
{
	prefork.pid = (int)call(SYS_getpid, 0, 0, 0, 0);
	prefork.slot = &prefork.board->slots[order.value];
	prefork.template_ = false;
	prefork.acceptors = 1;
	call(SYS_setsid, 0, 0, 0, 0);
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		if (output == fd)
			call(SYS_fcntl, fd, F_SETFD, 0, 0);
		else if (takes[fd])
			call(SYS_dup3, output, fd, 0, 0);
	call(SYS_close, output > STDERR_FILENO ? output : -1, 0, 0, 0);
	if (say(HOOK_HELLO, order.value) < 0) /* the launcher has let go of the template: nobody would know of this one */
		call(SYS_exit_group, 0, 0, 0, 0);
	call(SYS_set_robust_list, (long)robust, (long)robust_size, 0, 0);
	hook_signals(true);
}

/* CLONE_PARENT: the new worker has the template's exit signal.  clone3() is less widely permitted (containers), and could nothing more; which argument is tid is the
 * machine's affair, the other one is ignored.  It is a worker before anything of the application runs in it: a handler for forks may start a process of its own. */
pid_t hook_clone(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, 0, 0, tid, tid);

	clone_error = pid < 0 ? errno : 0;
	if (pid == 0)
		become_worker();
	return pid;
}

/* False: the launcher has let go of us, or one of the signals came that ask a program to end: they are let in here.  Another template takes its place. */
static bool next_order(void)
{
	uint64_t mask = own_mask | ~(1ULL << (SIGTERM - 1) | 1ULL << (SIGINT - 1) | 1ULL << (SIGQUIT - 1) | 1ULL << (SIGHUP - 1));
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct iovec v = {.iov_base = &order, .iov_len = sizeof(order)};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};

	bool comes = syscall(SYS_ppoll, &(struct pollfd){.fd = BOARD_HOOK_FD, .events = POLLIN}, 1, NULL, &mask, sizeof(mask)) > 0;
	ssize_t n = comes ? recvmsg(BOARD_HOOK_FD, &m, MSG_CMSG_CLOEXEC) : -1;
	const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	output = n > 0 && c != NULL && c->cmsg_len >= CMSG_LEN(sizeof(int)) && c->cmsg_type == SCM_RIGHTS ? *(const int *)CMSG_DATA(c) : -1;
	return n == (ssize_t)sizeof(order);
}

/* Returns in each worker. */
static void serve_orders(void)
{
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		takes[fd] = inode_of(fd) == 0 || inode_of(fd) == prefork.told[TOLD_OUTPUT];
	hook_signals(false);
	while (next_order()) {
		clone_error = ECANCELED; /* the language's runtime did not come to it */
		pid_t pid = order.kind == HOOK_FORK && order.value < BOARD_SLOTS ? runtime_fork() : -1;

		if (call(SYS_getpid, 0, 0, 0, 0) != prefork.pid)
			break; /* the language has forked by itself, too: none of ours */
		if (pid == 0)
			return;
		syscall(SYS_close, output);
		if (pid < 0)
			say(HOOK_FAILED, HOOK_FAILURE(order.value, clone_error));
	}
	_exit(0);
}

/* CLONE_VM changes nothing, and is refused to a process that has threads (unshare(2), EINVAL).  A container may forbid unshare(2): then /proc tells, and where that is not
 * there either, the answer is the careful one.  A thread that has just been joined may still end. */
static bool has_threads(void)
{
	struct stat st;
	int i = 0;

	while (i < 20 && syscall(SYS_unshare, CLONE_VM) < 0 &&
	       (errno == EINVAL || syscall(SYS_newfstatat, AT_FDCWD, "/proc/self/task", &st, 0) < 0 || st.st_nlink != 3 /* ., .. and the one */))
		nanosleep(&(struct timespec){.tv_nsec = ++i * 200000}, NULL);
	return i == 20;
}

/* Why it is not to be forked.  A C library whose thread's number cannot be set (musl) takes the new worker for its template.  Where a language copes with threads, others
 * may be on their way to where this one has come: a forked worker would not have them. */
static enum hook_reason objection(void)
{
	call(SYS_get_robust_list, 0, (long)&robust, (long)&robust_size, 0);
	call(SYS_prctl, PR_GET_TID_ADDRESS, (long)&tid, 0, 0);
	if (tid == NULL || *tid != call(SYS_gettid, 0, 0, 0, 0))
		return HOOK_REASON_LIBC;
	if (!runtime_copes_with_threads())
		return has_threads() ? HOOK_REASON_THREADS : HOOK_REASON_NONE;
	return __atomic_load_n(&prefork.acceptors, __ATOMIC_SEQ_CST) > 1 ? HOOK_REASON_ACCEPTORS : HOOK_REASON_NONE;
}

HOT bool hook_boots(enum hook_reason reason)
{
	if (!prefork.booting || !__atomic_exchange_n(&prefork.booting, false, __ATOMIC_SEQ_CST)) {
		while (__atomic_load_n(&prefork.template_, __ATOMIC_SEQ_CST)) /* another thread of what is forked: it serves nobody */
			nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
		return false;
	}
	prefork.template_ &= cookie_of(BOARD_HOOK_FD) == prefork.hook; /* else the application has closed it: it is a worker like any other */
	reason = prefork.template_ && reason == HOOK_REASON_NONE ? objection() : reason;
	if (prefork.template_ && reason != HOOK_REASON_NONE) {
		say(HOOK_REFUSED, reason);
		__atomic_store_n(&prefork.template_, false, __ATOMIC_SEQ_CST);
	} else if (prefork.template_) {
		say(HOOK_READY, 0);
		serve_orders();
	}
	start_done(); /* not before: what Ruby closes and opens anew in a new process, while it waits in select(2) for that, is to have the same numbers */
	return true;
}
