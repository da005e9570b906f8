/* New processes (launcher process).  What runs in a child here is async-signal-safe, and in priv_start() writes to nothing but its own stack and errno: the memory is the launcher's. */
#include "fcgipm/priv/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdalign.h>
#include <stddef.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/priv/job.h"

/* ---- as fork ---- */

/* clone(2) has the flag as well (5.2); its second and third arguments are the stack, none as for fork, and where the pidfd goes. */
static long clone_without_clone3(int *pidfd)
{
	return syscall(SYS_clone, (unsigned long)(CLONE_PIDFD | SIGCHLD), NULL, pidfd, NULL, NULL);
}

int priv_fork(int *ret_pidfd)
{
	int pidfd = -1;
	struct clone_args args = {.flags = CLONE_PIDFD, .pidfd = (uintptr_t)&pidfd, .exit_signal = SIGCHLD};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0 && errno == ENOSYS) /* a container's seccomp filter that cannot look into clone_args */
		pid = clone_without_clone3(&pidfd);
	if (pid < 0)
		return -errno;
	if (pid > 0)
		*ret_pidfd = pidfd; /* close-on-exec from birth */
	return (int)pid;
}

/* ---- in a child that shares the launcher's memory ---- */

/* A sanitizer would take the child's stack for its own, and mark what stays the launcher's. */
#define ON_SHARED_MEMORY __attribute__((no_sanitize_address))

/* Everything that is passed is first moved out of the way of the numbers that it is to get: those may be in use by one another.  The table is the child's own. */
ON_SHARED_MEMORY static int place(const struct priv_jail *j)
{
	enum { STDIO = 3, OWN = 4 };
	struct {
		int from, to;
	} fds[STDIO + OWN + PRIV_KEEP_MAX] = {
		{j->stdio[0], 0},
		{j->stdio[1], 1},
		{j->stdio[2], 2},
		{j->report_fd, PRIV_FD_REPORT},
		{j->exec_fd, PRIV_FD_PROGRAM},
		{j->directory_fd > 0 ? j->directory_fd : -1, PRIV_FD_DIRECTORY},
		{j->client_fd > 0 ? j->client_fd : -1, PRIV_FD_CLIENT},
	};
	unsigned count = STDIO + OWN;

	for (unsigned i = 0; i < j->keep_count; i++, count++) {
		fds[count].from = j->keep[i];
		fds[count].to = j->keep_as + (int)i;
	}
	for (unsigned i = 0; i < count; i++) {
		if (fds[i].from < 0 && i >= STDIO)
			continue;
		fds[i].from = fcntl(fds[i].from, F_DUPFD_CLOEXEC, PRIV_FD_BEYOND);
		if (fds[i].from < 0)
			return -errno;
	}
	for (unsigned i = 0; i < count; i++)
		if (fds[i].from >= 0 && dup3(fds[i].from, fds[i].to, 0) < 0)
			return -errno;
	return 0;
}

ON_SHARED_MEMORY static void fail(int report_fd, int error) __attribute__((noreturn));
ON_SHARED_MEMORY static void fail(int report_fd, int error)
{
	const struct priv_report r = {.step = PRIV_STEP_START, .error = error};

	_exit(write(report_fd, &r, sizeof(r)) == (ssize_t)sizeof(r) ? 127 : 126);
}

/* Not strewn at random, fcgipm-start lies near its stack, with two branches of page tables less, which are 5 % of a start (docs/measured.md).  Where a filter forbids it, it is strewn. */
ON_SHARED_MEMORY static void lie_beside_the_stack(const struct priv_jail *j)
{
	if (j->personality >= 0)
		syscall(SYS_personality, (unsigned long)j->personality | ADDR_NO_RANDOMIZE);
}

ON_SHARED_MEMORY void priv_start_exec(int starter, const struct priv_jail *j)
{
	/* exec takes char *const *; neither it nor the new program can change what is const here. */
	char *const *argv = (char *const *)(uintptr_t)j->argv;
	char *const *envp = (char *const *)(uintptr_t)j->envp;
	int report = fcntl(j->report_fd, F_DUPFD_CLOEXEC, PRIV_FD_BEYOND), program = fcntl(starter, F_DUPFD_CLOEXEC, PRIV_FD_BEYOND);
	int r = place(j);

	if (report < 0 || program < 0 || r < 0)
		fail(report >= 0 ? report : j->report_fd, report < 0 || program < 0 ? EMFILE : -r);
	lie_beside_the_stack(j);
	syscall(SYS_execveat, program, "", argv, envp, AT_EMPTY_PATH);
	fail(report, errno);
}

struct start {
	int starter;
	const struct priv_jail *jail;
};

ON_SHARED_MEMORY static void start_child(void *arg) __attribute__((noreturn, used));
ON_SHARED_MEMORY static void start_child(void *arg)
{
	const struct start *s = arg;

	priv_start_exec(s->starter, s->jail);
}

/* The child's, while the launcher stands still: one at a time. */
static alignas(16) char stack[16 << 10];

#if defined(__x86_64__)
/* clone3 into a function on a stack of its own: the C library has none that a program may call (2.36). */
static long clone_into(struct clone_args *args, struct start *arg)
{
	register struct start *kept __asm__("r12") = arg;
	long ret;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r12, %%rdi\n\t"
			 "call *%[child]\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(ret)
			 : "a"((long)SYS_clone3), "D"(args), "S"(sizeof(*args)), "r"(kept), [child] "d"(start_child)
			 : "rcx", "r11", "memory", "cc");
	return ret;
}
#elif defined(__aarch64__)
static long clone_into(struct clone_args *args, struct start *arg)
{
	register long number __asm__("x8") = SYS_clone3;
	register struct start *kept __asm__("x19") = arg;
	register void *first __asm__("x0") = args;
	register size_t second __asm__("x1") = sizeof(*args);
	register void (*child)(void *) __asm__("x20") = start_child;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x0, x19\n\t"
			 "blr %[child]\n\t"
			 "brk #0\n"
			 "1:"
			 : "+r"(first)
			 : "r"(second), "r"(number), "r"(kept), [child] "r"(child)
			 : "memory", "cc", "x30");
	return (long)(intptr_t)first;
}
#else
static long clone_into(struct clone_args *args, struct start *arg)
{
	(void)args, (void)arg;
	return -ENOSYS;
}
#endif

static int clone_start(struct start *s, int *ret_pidfd)
{
	int pidfd = -1, cgroup = s->jail->cgroup;
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_VM | CLONE_VFORK | (cgroup > 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)stack,
		.stack_size = sizeof(stack),
		.cgroup = cgroup > 0 ? (uint64_t)cgroup : 0,
	};
	int saved = errno;
	long pid = clone_into(&args, s);

	if (pid == -ENOSYS && cgroup <= 0) {
		pid = priv_fork(&pidfd);
		if (pid == 0)
			start_child(s);
	}
	errno = saved; /* it was the child's too */
	if (pid > 0)
		*ret_pidfd = pidfd;
	return (int)pid;
}

int priv_start(int starter, struct priv_jail *j, int *ret_report, int *ret_pidfd)
{
	struct start s = {.starter = starter, .jail = j};
	int report[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, report) < 0)
		return -errno;
	j->report_fd = report[1];
	fp_set_nonblock(report[0], true);
	r = priv_job_send(report[0], j);
	if (r == 0)
		r = clone_start(&s, ret_pidfd);
	close(report[1]);
	if (r < 0)
		close(report[0]);
	else
		*ret_report = report[0];
	return r;
}
