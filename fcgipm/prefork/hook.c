/* The first accept.  A worker says that it is ready; a template waits for orders and forks, and each new worker returns from here into accept. */
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "fcgipm/prefork/prefork.h"

static void say(enum hook_kind kind, uint32_t value)
{
	call(SYS_sendto, BOARD_HOOK_FD, (long)&(struct hook_word){.kind = kind, .value = value}, sizeof(struct hook_word), MSG_NOSIGNAL);
}

/* ---- signals.  A template has the application's handlers and none of its chances to act on what they note: what one notes, each worker after it would have. ---- */

static uint64_t own_mask; /* the application's */
static int clone_error; /* why there is no new worker */

void hook_signals(bool let_in)
{
	uint64_t none = ~0ULL;

	call(SYS_rt_sigprocmask, SIG_SETMASK, (long)(let_in ? &own_mask : &none), (long)(let_in ? NULL : &own_mask), sizeof(own_mask));
}

/* ---- forking ---- */

/* CLONE_PARENT: the new worker has the template's exit signal.  The C library keeps its thread's number where PR_GET_TID_ADDRESS says.  clone3() is less widely permitted
 * (containers), and could nothing more; which argument is tid is the machine's affair, the other one is ignored. */
pid_t hook_clone(void)
{
	uintptr_t tid = 0, robust = 0, robust_len = 0;

	call(SYS_prctl, PR_GET_TID_ADDRESS, (long)&tid, 0, 0);
	call(SYS_get_robust_list, 0, (long)&robust, (long)&robust_len, 0);
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | (tid != 0 ? CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID : 0), 0, 0, tid, tid);
	clone_error = pid < 0 ? errno : 0;
	if (pid == 0 && robust != 0)
		call(SYS_set_robust_list, (long)robust, (long)robust_len, 0, 0);
	if (pid == 0)
		hook_signals(true);
	return pid;
}

/* False: the launcher has let go of us, or one of the signals came that ask a program to end: they are let in here.  Another template takes its place. */
static bool next_order(struct hook_word *w, int *ret_output)
{
	uint64_t mask = own_mask | ~(1ULL << (SIGTERM - 1) | 1ULL << (SIGINT - 1) | 1ULL << (SIGQUIT - 1) | 1ULL << (SIGHUP - 1));
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct iovec v = {.iov_base = w, .iov_len = sizeof(*w)};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};

	if (syscall(SYS_ppoll, &(struct pollfd){.fd = BOARD_HOOK_FD, .events = POLLIN}, 1, NULL, &mask, sizeof(mask)) < 0)
		return false;
	ssize_t n = recvmsg(BOARD_HOOK_FD, &m, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	*ret_output = n > 0 && c != NULL && c->cmsg_len >= CMSG_LEN(sizeof(int)) && c->cmsg_type == SCM_RIGHTS ? *(const int *)CMSG_DATA(c) : -1;
	return n == (ssize_t)sizeof(*w);
}

/* It is still what the launcher gave us, or closed. */
static bool is_output(int fd)
{
	struct stat st;

	return syscall(SYS_fstat, fd, &st) < 0 || BOARD_INODE(st) == prefork.output;
}

/* The new worker: a session and an output of its own, if there is one (-1: these calls do nothing).  Its number may be 1 or 2, where the application has closed that.
 * What the application has itself put under 1 or 2 stays.
 * No function of the C library is called here: each that the template has not called would be looked up anew in every worker. */
static void become_worker(uint32_t slot, int output, const bool takes[])
{
	prefork.pid = (int)call(SYS_getpid, 0, 0, 0, 0);
	prefork.slot = &prefork.board->slots[slot];
	prefork.template_ = false;
	prefork.acceptors = 1;
	call(SYS_setsid, 0, 0, 0, 0);
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		if (output == fd)
			call(SYS_fcntl, fd, F_SETFD, 0, 0);
		else if (takes[fd])
			call(SYS_dup3, output, fd, 0, 0);
	call(SYS_close, output > STDERR_FILENO ? output : -1, 0, 0, 0);
	say(HOOK_HELLO, slot);
	call(SYS_close, BOARD_HOOK_FD, 0, 0, 0);
}

/* Returns in each worker. */
static void serve_orders(void)
{
	const bool takes[] = {false, is_output(STDOUT_FILENO), is_output(STDERR_FILENO)};
	struct hook_word w;
	int output;

	hook_signals(false);
	while (next_order(&w, &output)) {
		clone_error = ECANCELED; /* the language's runtime did not come to it */
		pid_t pid = w.kind == HOOK_FORK && w.value < BOARD_SLOTS ? runtime_fork() : -1;

		if (pid == 0) {
			become_worker(w.value, output, takes);
			return;
		}
		syscall(SYS_close, output);
		if (pid < 0)
			say(HOOK_FAILED, HOOK_FAILURE(w.value, clone_error));
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

/* Why it is not to be forked.  Where a language copes with threads, others may be on their way to where this one has come: a forked worker would not have them. */
static enum hook_reason objection(void)
{
	enum runtime_threads t = runtime_threads();

	if (t == THREADS_FORBIDDEN)
		return has_threads() ? HOOK_REASON_THREADS : HOOK_REASON_NONE;
	if (t == THREADS_SOME)
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
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
	if (prefork.template_ && reason == HOOK_REASON_NONE)
		reason = objection();
	if (prefork.template_ && reason != HOOK_REASON_NONE) {
		say(HOOK_REFUSED, reason);
		syscall(SYS_close, BOARD_HOOK_FD);
		__atomic_store_n(&prefork.template_, false, __ATOMIC_SEQ_CST);
	} else if (prefork.template_) {
		say(HOOK_READY, 0);
		serve_orders();
	}
	return true;
}
