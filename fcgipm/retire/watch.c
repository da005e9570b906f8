/* Watching a worker's system calls (fcgipm-retire, under the pool's account).  It reads what a call is, never memory; it changes nothing of the worker
 * but to give it the signal that it was to get anyway.  The worker's threads are traced one and all: where one of them has closed a descriptor the others
 * are made to stand still too, and only then is it asked whether a connection is left. */
#include "fcgipm/retire/watch.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgipm/probe/process.h"

enum { THREADS_MAX = 64, OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE, SYSCALL_STOP = SIGTRAP | 0x80 /* with PTRACE_O_TRACESYSGOOD */ };

struct thread {
	pid_t tid;
	bool closing; /* in a call that gives up a descriptor */
	bool still; /* stopped, and not told to go on yet */
	int status; /* of that stop */
};

struct tracer {
	const struct watch *w;
	struct thread thread[THREADS_MAX];
	unsigned count;
};

static struct thread *find_thread(struct tracer *t, pid_t tid)
{
	for (unsigned i = 0; i < t->count; i++)
		if (t->thread[i].tid == tid)
			return &t->thread[i];
	return NULL;
}

static struct thread *add_thread(struct tracer *t, pid_t tid)
{
	if (t->count == THREADS_MAX)
		return NULL;
	t->thread[t->count] = (struct thread){.tid = tid};
	return &t->thread[t->count++];
}

static void remove_thread(struct tracer *t, struct thread *h)
{
	*h = t->thread[--t->count];
}

/* ---- seizing ---- */

static int seize_thread(struct tracer *t, pid_t tid)
{
	if (find_thread(t, tid) != NULL)
		return 0;
	if (ptrace(PTRACE_SEIZE, tid, NULL, (void *)OPTIONS) < 0)
		return errno == ESRCH ? 0 : -errno;
	if (add_thread(t, tid) == NULL)
		return -E2BIG;
	ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
	return 1;
}

/* One pass over the threads that there are: how many were new, or -errno. */
static int seize_pass(struct tracer *t)
{
	char path[64];
	DIR *dir;
	int r = 0, fresh = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)t->w->pid);
	dir = opendir(path);
	if (dir == NULL)
		return -errno;
	for (struct dirent *e; r >= 0 && (e = readdir(dir)) != NULL;) {
		r = isdigit((unsigned char)e->d_name[0]) ? seize_thread(t, (pid_t)strtol(e->d_name, NULL, 10)) : 0;
		fresh += r > 0;
	}
	closedir(dir);
	return r < 0 ? r : fresh;
}

/* One that a thread makes before it is seized itself is seen in the next pass; after that the kernel tells of new ones. */
static int seize_all(struct tracer *t)
{
	int r;

	do
		r = seize_pass(t);
	while (r > 0);
	return r;
}

/* ---- stopping and going on ---- */

/* The signal at whose delivery a thread stands still, which is its own to have; 0: it stands still for us. */
static int signal_of(const struct thread *h)
{
	return h->status >> 16 != 0 || WSTOPSIG(h->status) == SYSCALL_STOP ? 0 : WSTOPSIG(h->status);
}

/* Lets a stopped thread go on as it would have without us. */
static void go_on(struct thread *h)
{
	bool group_stop = h->status >> 16 == PTRACE_EVENT_STOP && WSTOPSIG(h->status) != SIGTRAP;

	h->still = false;
	ptrace(group_stop ? PTRACE_LISTEN : PTRACE_SYSCALL, h->tid, NULL, (void *)(intptr_t)signal_of(h));
}

static bool gives_up_a_descriptor(uint64_t number)
{
	switch (number) {
	case SYS_close:
	case SYS_dup3:
#ifdef SYS_dup2 /* not on arm64 */
	case SYS_dup2:
#endif
#ifdef SYS_close_range
	case SYS_close_range:
#endif
		return true;
	default:
		return false;
	}
}

/* Each call stops twice, and only the entry tells its number.  True where one that gave up a descriptor has returned. */
static bool has_closed(struct thread *h)
{
	struct __ptrace_syscall_info info;
	bool was = h->closing;

	if (WSTOPSIG(h->status) != SYSCALL_STOP || ptrace(PTRACE_GET_SYSCALL_INFO, h->tid, (void *)sizeof(info), &info) <= 0)
		return false;
	h->closing = info.op == PTRACE_SYSCALL_INFO_ENTRY && gives_up_a_descriptor(info.entry.nr);
	return was && info.op == PTRACE_SYSCALL_INFO_EXIT;
}

/* What waitpid() said of a thread; NULL when that one is gone, or is one too many to know.  A new thread stops before its first instruction. */
static struct thread *take_status(struct tracer *t, pid_t tid, int status)
{
	struct thread *h = find_thread(t, tid);

	if (!WIFSTOPPED(status)) {
		if (h != NULL)
			remove_thread(t, h);
		return NULL;
	}
	if (h == NULL)
		h = add_thread(t, tid);
	if (h == NULL) {
		ptrace(PTRACE_DETACH, tid, NULL, NULL);
		return NULL;
	}
	h->status = status;
	h->still = true;
	return h;
}

static struct thread *next_running(struct tracer *t)
{
	for (unsigned i = 0; i < t->count; i++)
		if (!t->thread[i].still)
			return &t->thread[i];
	return NULL;
}

/* A thread that comes to a stop of its own first keeps that one, and is told to go on from it later. */
static void stop_all(struct tracer *t)
{
	struct thread *h;

	for (unsigned i = 0; i < t->count; i++)
		if (!t->thread[i].still)
			ptrace(PTRACE_INTERRUPT, t->thread[i].tid, NULL, NULL);
	while ((h = next_running(t)) != NULL) {
		pid_t tid = h->tid;
		int status = 0;

		if (waitpid(tid, &status, __WALL) == tid)
			take_status(t, tid, status);
		else if (errno != EINTR)
			remove_thread(t, h);
	}
}

static void go_on_all(struct tracer *t)
{
	for (unsigned i = 0; i < t->count; i++) {
		has_closed(&t->thread[i]); /* all were asked about already: only to know where each is */
		go_on(&t->thread[i]);
	}
}

/* ---- the moment ---- */

/* A process that it forked could accept as well, and is not traced. */
static bool serves_nobody(const struct watch *w)
{
	pid_t pids[2];

	return probe_tree(w->pid, pids, 2) == 1 && probe_holds_connection(w->diag, &w->listener, &w->pid, 1) == 0;
}

/* Its number is its own, since nobody can reap what we trace; and it is alone (serves_nobody()). */
static void give_signal(const struct watch *w)
{
	probe_signal(w->pid, probe_stop_signal(w->pid, w->signal));
}

static bool take_the_moment(struct tracer *t)
{
	stop_all(t);
	if (!serves_nobody(t->w)) {
		go_on_all(t);
		return false;
	}
	give_signal(t->w);
	for (unsigned i = 0; i < t->count; i++)
		ptrace(PTRACE_DETACH, t->thread[i].tid, NULL, (void *)(intptr_t)signal_of(&t->thread[i]));
	return true;
}

static enum watch_end watch_calls(struct tracer *t)
{
	if (take_the_moment(t))
		return WATCH_SIGNALLED;
	while (t->count > 0) {
		int status;
		pid_t tid = waitpid(-1, &status, __WALL);
		struct thread *h;

		if (tid < 0 && errno != EINTR)
			break;
		h = tid > 0 ? take_status(t, tid, status) : NULL;
		if (h == NULL)
			continue;
		if (!has_closed(h))
			go_on(h);
		else if (take_the_moment(t))
			return WATCH_SIGNALLED;
	}
	return WATCH_GONE;
}

enum watch_end watch_worker(const struct watch *w)
{
	struct tracer t = {.w = w};

	if (seize_all(&t) < 0)
		return WATCH_CANNOT;
	/* What is traced now keeps its number; it is the worker if the worker still lives. */
	if (t.count == 0 || syscall(SYS_pidfd_send_signal, w->pidfd, 0, NULL, 0) < 0)
		return WATCH_GONE;
	return watch_calls(&t);
}
