/* Starting, reports and reaping (launcher process).  Nothing here waits: every wait is WNOHANG, every report is read when epoll says so. */
#include "fcgipm/launcher/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/base/slice.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/priv/spawn.h"

static struct child **bucket_of(struct launcher *l, pid_t pid)
{
	return &l->children.bucket[(unsigned)pid % CHILD_BUCKETS];
}

static struct child *child_find(struct launcher *l, pid_t pid)
{
	struct child *c = *bucket_of(l, pid);

	while (c != NULL && c->pid != pid)
		c = c->next;
	return c;
}

static void child_forget(struct child *c)
{
	struct child **p = bucket_of(c->launcher, c->pid);

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	loop_disarm(&c->launcher->loop, &c->limit);
	loop_unwatch(&c->launcher->loop, &c->report);
	fp_close(&c->report.fd);
	fp_close(&c->pidfd);
	c->running = false;
}

static void child_execed(struct child *c)
{
	if (c->failure.step != PRIV_STEP_NONE) /* overdue, and killed */
		return;
	if (!c->ops->keeps_limit)
		loop_disarm(&c->launcher->loop, &c->limit);
	c->execed = true;
	if (c->ops->execed != NULL)
		c->ops->execed(c);
}

/* A whole report is a failed step, its end without one is a successful exec. */
static void child_reported(void *ctx, uint32_t events)
{
	struct child *c = ctx;
	struct priv_report r;
	ssize_t n = read(c->report.fd, &r, sizeof(r));

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	loop_unwatch(&c->launcher->loop, &c->report);
	fp_close(&c->report.fd);
	if (n == (ssize_t)sizeof(r) && r.step > PRIV_STEP_NONE && r.step < PRIV_STEP_COUNT) {
		c->failure = r;
		child_kill(c); /* its account may have stopped it on its way to exit */
	} else if (n >= 0) {
		child_execed(c);
	} /* else it has died before it had read its job (ECONNRESET) */
}

static void child_overdue(void *ctx)
{
	struct child *c = ctx;
	bool awaited = c->report.fd >= 0 && !c->ops->keeps_limit;

	child_learn(c); /* it may be we who have stood still */
	if (awaited && c->report.fd < 0)
		return;
	c->failure = (struct priv_report){.step = PRIV_STEP_TIMEOUT, .error = ETIMEDOUT};
	log_warn("child.overdue", KS("child", c->ops->what), KI("pid", c->pid));
	child_kill(c);
}

static void child_list(struct launcher *l, struct child *c, const struct child_ops *ops)
{
	struct child **bucket = bucket_of(l, c->pid);

	c->launcher = l;
	c->ops = ops;
	c->failure = (struct priv_report){.step = PRIV_STEP_NONE};
	c->execed = false;
	c->running = true;
	c->strays = 0;
	c->next = *bucket;
	*bucket = c;
	c->limit = (struct loop_timer){.fire = child_overdue, .ctx = c};
	c->report = (struct loop_source){.fd = -1};
}

/* What it is to the launcher from then on. */
static int child_enter(struct launcher *l, struct child *c, const struct child_ops *ops, int report_fd)
{
	child_list(l, c, ops);
	c->report = (struct loop_source){.fd = report_fd, .events = EPOLLIN, .ready = child_reported, .ctx = c};
	loop_watch(&l->loop, &c->report);
	loop_arm(&l->loop, &c->limit, fp_now_ms() + SPAWN_LIMIT_MS);
	return 0;
}

int child_exec(struct launcher *l, struct child *c, const struct child_ops *ops, const struct priv_jail *jail)
{
	struct priv_jail mine = *jail;
	int report, r;

	mine.signals = l->unclean_signals;
	mine.bounding = l->bounding;
	mine.permitted = l->permitted;
	mine.personality = l->personality;
	r = priv_start(l->starter_fd, &mine, &report, &c->pidfd);
	if (r < 0)
		return r;
	c->pid = r;
	return child_enter(l, c, ops, report);
}

int child_call(struct launcher *l, struct child *c, const struct child_ops *ops, child_act *act, const void *arg)
{
	int report[2];

	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	fp_set_nonblock(report[0], true);
	c->pid = priv_fork(&c->pidfd);
	if (c->pid == 0) {
		struct priv_report failure = {.step = PRIV_STEP_NONE};

		fp_ordinary_slice();
		(void)setpriority(PRIO_PROCESS, 0, l->nice);
		if (act(arg, &failure) < 0)
			priv_jail_fail(report[1], &failure);
		_exit(0);
	}
	close(report[1]);
	if (c->pid < 0) {
		close(report[0]);
		return c->pid;
	}
	return child_enter(l, c, ops, report[0]);
}

void child_adopt(struct launcher *l, struct child *c, const struct child_ops *ops, pid_t pid, int pidfd)
{
	c->pid = pid;
	c->pidfd = pidfd;
	child_list(l, c, ops);
	c->execed = true;
}

bool child_is_known(struct launcher *l, pid_t pid)
{
	return child_find(l, pid) != NULL;
}

void child_limit(struct child *c, int64_t ms)
{
	if (ms == 0 || !c->running)
		loop_disarm(&c->launcher->loop, &c->limit);
	else
		loop_arm(&c->launcher->loop, &c->limit, fp_now_ms() + ms);
}

void child_learn(struct child *c)
{
	if (c->report.fd >= 0)
		child_reported(c, EPOLLIN);
}

void child_signal(const struct child *c, int signal)
{
	if (c->running)
		syscall(SYS_pidfd_send_signal, c->pidfd, signal, NULL, 0);
}

void child_kill(struct child *c)
{
	child_signal(c, c->kill_signal != 0 ? c->kill_signal : SIGKILL);
}

static void note_session(struct launcher *l, pid_t sid)
{
	l->children.ended[l->children.ended_count++ % CHILD_SESSIONS] = sid;
}

static bool session_has_ended(struct launcher *l, pid_t sid)
{
	for (unsigned i = 0; i < CHILD_SESSIONS; i++)
		if (l->children.ended[i] == sid)
			return child_find(l, sid) == NULL;
	return false;
}

/* A zombie that we started: a report may still lie in the pipe.  Its group is signalled before it is reaped, while its number is still its own; those of
 * its session that left the group are our children by now (we are the subreaper). */
static void child_ended(struct child *c)
{
	int status = 0;

	child_learn(c);
	if (c->ops->session)
		kill(-c->pid, SIGKILL);
	while (wait4(c->pid, &status, __WALL, &c->used) < 0 && errno == EINTR)
		;
	child_forget(c);
	if (c->ops->session) {
		note_session(c->launcher, c->pid);
		c->strays = children_end_strays(c->launcher, c->pid);
	}
	c->ops->exited(c, status);
}

/* Somebody else's child came to us: an orphan of a worker (we are the subreaper), or one that a worker made with CLONE_PARENT.
 * It is reaped, said, and never counted as a worker. */
static void stranger_ended(struct launcher *l, pid_t pid)
{
	pid_t sid = getsid(pid);
	int status = 0;

	while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
	log_info("child.unknown", KI("pid", pid), KI("session", sid), KI("status", status));
	if (sid > 0 && session_has_ended(l, sid))
		children_end_strays(l, sid);
}

void children_reap(struct launcher *l)
{
	for (;;) {
		siginfo_t info = {.si_pid = 0};
		struct child *c;

		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 || info.si_pid == 0)
			return;
		c = child_find(l, info.si_pid);
		if (c != NULL)
			child_ended(c);
		else
			stranger_ended(l, info.si_pid);
	}
}

/* Our direct children, as the kernel lists them.  NULL where it has no such file (CONFIG_PROC_CHILDREN). */
static FILE *open_children(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	return fopen(path, "re");
}

/* A child that we do not know is signalled by pid: it is ours to reap, so the number cannot be another's. */
unsigned children_end_strays(struct launcher *l, pid_t sid)
{
	FILE *f = open_children();
	unsigned count = 0;
	int pid;

	if (f == NULL)
		return 0;
	while (fscanf(f, "%d", &pid) == 1) {
		if (child_find(l, pid) != NULL || (sid != 0 && getsid(pid) != sid))
			continue;
		if (kill(pid, SIGKILL) == 0)
			count++;
	}
	fclose(f);
	return count;
}
