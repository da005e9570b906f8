/* What /proc says of a worker (launcher process).  See proc(5).  Everything read here was written by, or is about, a process that may be hostile:
 * reads are bounded, names are never trusted, and no answer leads to more than "it serves" or "it waits". */
#include "fcgipm/probe/process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"

enum { FDS_MAX = 4096, INODES_MAX = 4096, POLLFDS_MAX = 1024, TASKS_MAX = 1024, PEEK_MAX = POLLFDS_MAX * sizeof(struct pollfd), PEEK_LIMIT_MS = 10 };

/* ---- /proc ---- */

/* A file below /proc/PID, as text.  Length or -errno. */
static ssize_t read_proc(int dir, const char *name, char *buf, size_t cap)
{
	fp_autoclose int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, cap - 1);

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return n;
}

static int open_proc(pid_t pid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d%s%s", (int)pid, name[0] != '\0' ? "/" : "", name);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Calls each(ctx, number) for every entry of a /proc directory whose name is a number, without malloc; at most max.
 * Returns each's first answer that is not 0, -E2BIG beyond max, else 0. */
typedef int each_number(void *ctx, int dir, long number);

struct dirent64_raw {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

static int walk_numbers(int dir, unsigned max, each_number *each, void *ctx)
{
	_Alignas(struct dirent64_raw) char buf[8192];
	unsigned count = 0;
	long n;

	while ((n = syscall(SYS_getdents64, dir, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			const struct dirent64_raw *e = (const struct dirent64_raw *)(buf + at);
			int r;

			at += e->reclen;
			if (!isdigit((unsigned char)e->name[0]))
				continue;
			if (++count > max)
				return -E2BIG;
			r = each(ctx, dir, strtol(e->name, NULL, 10));
			if (r != 0)
				return r;
		}
	}
	return n < 0 ? -errno : 0;
}

/* The socket inode behind descriptor number of a /proc/PID/fd directory, 0 when it is no socket. */
static uint32_t socket_inode(int fd_dir, long number)
{
	static const char prefix[] = "socket:[";
	char name[24], link[64];
	ssize_t n;

	snprintf(name, sizeof(name), "%ld", number);
	n = readlinkat(fd_dir, name, link, sizeof(link) - 1);
	if (n < (ssize_t)sizeof(prefix) || memcmp(link, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	link[n] = '\0';
	return (uint32_t)strtoul(link + sizeof(prefix) - 1, NULL, 10);
}

/* ---- the tree ---- */

struct tree {
	pid_t leader, *pids;
	unsigned count, max;
};

static void add_child(struct tree *t, pid_t pid)
{
	if (pid > 0 && t->count < t->max && getsid(pid) == t->leader)
		t->pids[t->count++] = pid;
}

static void take_byte(struct tree *t, pid_t *pid, char c)
{
	if (isdigit((unsigned char)c)) {
		*pid = *pid * 10 + (c - '0');
		return;
	}
	add_child(t, *pid);
	*pid = 0;
}

/* "12 13 14 ", as long as it is: a number may stand across two reads. */
static int add_children(void *ctx, int dir, long tid)
{
	char name[48], buf[4096];
	fp_autoclose int fd = -1;
	pid_t pid = 0;
	ssize_t n;

	snprintf(name, sizeof(name), "%ld/children", tid);
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			take_byte(ctx, &pid, buf[i]);
	}
	return 0;
}

unsigned probe_tree(pid_t leader, pid_t *ret_pids, unsigned max)
{
	struct tree t = {.leader = leader, .pids = ret_pids, .count = 1, .max = max};

	ret_pids[0] = leader;
	for (unsigned i = 0; i < t.count; i++) {
		fp_autoclose int tasks = open_proc(ret_pids[i], "task");

		if (tasks >= 0)
			walk_numbers(tasks, TASKS_MAX, add_children, &t);
	}
	return t.count;
}

/* /proc/PID/fd is 0500 and its owner's.  Root without CAP_DAC_READ_SEARCH (which could read every file of the machine) is refused there, so the launcher
 * looks with the owner's file system uid; CAP_SYS_PTRACE lets it past the rest.  For anybody else setfsuid changes nothing.  Returns what to go back to. */
static uid_t look_as_owner(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	if (stat(path, &st) < 0)
		st.st_uid = (uid_t)-1; /* tells the present one */
	return (uid_t)setfsuid(st.st_uid);
}

/* ---- does it hold a connection ---- */

struct held {
	uint32_t inodes[INODES_MAX]; /* connections in service, in order */
	unsigned count;
	bool overflow; /* more than we can keep: nothing is known to be idle */
};

static void add_inode(void *ctx, size_t index, uint32_t inode)
{
	struct held *h = ctx;

	(void)index;
	if (h->count == INODES_MAX)
		h->overflow = true;
	else
		h->inodes[h->count++] = inode;
}

static int compare_inodes(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int find_held(void *ctx, int dir, long number)
{
	const struct held *h = ctx;
	uint32_t ino = socket_inode(dir, number);

	return ino != 0 && bsearch(&ino, h->inodes, h->count, sizeof(ino), compare_inodes) != NULL;
}

/* 1: it holds one (or has more descriptors than we look at); 0: none; -errno: it cannot be seen. */
static int process_holds(struct held *h, pid_t pid)
{
	uid_t before = look_as_owner(pid);
	fp_autoclose int dir = open_proc(pid, "fd");
	int r = dir < 0 ? dir : walk_numbers(dir, FDS_MAX, find_held, h);

	setfsuid(before);
	return r == -E2BIG ? 1 : r == -ENOENT || r == -ESRCH ? 0 : r;
}

int probe_holds_connection(int diag, const struct probe_listener *l, const pid_t *pids, unsigned count)
{
	struct held h = {.count = 0};
	int r = probe_connections(diag, l, 1, add_inode, &h);

	if (r < 0)
		return r;
	if (h.overflow)
		return 1;
	if (h.count > 1)
		qsort(h.inodes, h.count, sizeof(h.inodes[0]), compare_inodes);
	for (unsigned i = 0; i < count; i++) {
		r = process_holds(&h, pids[i]);
		if (r != 0)
			return r;
	}
	return 0;
}

/* ---- does it wait for one ---- */

struct waiting {
	pid_t pid;
	int fds; /* /proc/PID/fd */
	uint32_t listener;
	bool may_peek;
};

static bool is_listener(const struct waiting *w, long fd)
{
	return fd >= 0 && fd < FDS_MAX * 256 && socket_inode(w->fds, fd) == w->listener;
}

/* Workers whose memory kept a reader waiting; a number that is used again costs a hint, no more. */
static struct {
	pid_t pids[64];
	unsigned next;
} slow;

static bool is_slow(pid_t pid)
{
	for (unsigned i = 0; i < sizeof(slow.pids) / sizeof(slow.pids[0]); i++)
		if (slow.pids[i] == pid)
			return true;
	return false;
}

static void peek_in_child(const struct waiting *w, unsigned long address, int fd, size_t len)
{
	char buf[PEEK_MAX];
	struct iovec here = {.iov_base = buf, .iov_len = len};
	struct iovec there = {.iov_base = (void *)address, .iov_len = len};
	ssize_t n = process_vm_readv(w->pid, &here, 1, &there, 1, 0);

	_exit(n > 0 && write(fd, buf, (size_t)n) == n ? 0 : 1);
}

/* Reads memory of the worker: its own claim of what it waits for, no more than a hint.  Whoever touches a page of a hostile worker may wait for it for
 * ever (userfaultfd, a file of FUSE), so a child does, and is killed when it is not back at once. */
static ssize_t peek(const struct waiting *w, unsigned long address, void *buf, size_t len)
{
	struct pollfd p = {.events = POLLIN};
	ssize_t n = -1;
	int fds[2];
	pid_t child;

	if (!w->may_peek || len > PEEK_MAX || is_slow(w->pid) || pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	child = fork();
	if (child == 0)
		peek_in_child(w, address, fds[1], len);
	close(fds[1]);
	p.fd = fds[0];
	if (child > 0 && poll(&p, 1, PEEK_LIMIT_MS) > 0)
		n = read(fds[0], buf, len);
	else if (child > 0)
		slow.pids[slow.next++ % (sizeof(slow.pids) / sizeof(slow.pids[0]))] = w->pid;
	close(fds[0]);
	if (child > 0) {
		kill(child, SIGKILL);
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	return n;
}

static bool polls_listener(const struct waiting *w, const unsigned long *arg)
{
	struct pollfd p[POLLFDS_MAX];
	size_t n = arg[1] < POLLFDS_MAX ? arg[1] : POLLFDS_MAX;

	if (n == 0 || peek(w, arg[0], p, n * sizeof(p[0])) != (ssize_t)(n * sizeof(p[0])))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((p[i].events & POLLIN) != 0 && is_listener(w, p[i].fd))
			return true;
	return false;
}

static bool selects_listener(const struct waiting *w, const unsigned long *arg)
{
	fd_set set;
	long n = arg[0] < FD_SETSIZE ? (long)arg[0] : FD_SETSIZE;
	size_t bytes = ((size_t)n + 63) / 64 * 8;

	if (n == 1) /* libfcgi: one descriptor alone can be meant, so nothing has to be read */
		return arg[1] != 0 && is_listener(w, 0);
	FD_ZERO(&set);
	if (n <= 0 || arg[1] == 0 || peek(w, arg[1], &set, bytes) != (ssize_t)bytes)
		return false;
	for (long fd = 0; fd < n; fd++)
		if (FD_ISSET(fd, &set) && is_listener(w, fd))
			return true;
	return false;
}

/* /proc/PID/fdinfo/EPFD has a line "tfd: N ..." for each descriptor watched. */
static bool epolls_listener(const struct waiting *w, const unsigned long *arg)
{
	char name[64], buf[8192], *save = NULL;

	snprintf(name, sizeof(name), "../fdinfo/%ld", (long)arg[0]);
	if (read_proc(w->fds, name, buf, sizeof(buf)) <= 0)
		return false;
	for (char *line = strtok_r(buf, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		if (strncmp(line, "tfd:", 4) == 0 && is_listener(w, strtol(line + 4, NULL, 10)))
			return true;
	return false;
}

static bool accepts_listener(const struct waiting *w, const unsigned long *arg)
{
	return is_listener(w, (long)arg[0]);
}

static const struct {
	long number;
	bool (*waits)(const struct waiting *w, const unsigned long *arg);
} calls[] = {
	{SYS_accept, accepts_listener},      {SYS_accept4, accepts_listener},    {SYS_ppoll, polls_listener},
	{SYS_pselect6, selects_listener},    {SYS_epoll_pwait, epolls_listener},
#ifdef SYS_epoll_pwait2
	{SYS_epoll_pwait2, epolls_listener},
#endif
#ifdef SYS_poll /* not on arm64 */
	{SYS_poll, polls_listener},          {SYS_select, selects_listener},     {SYS_epoll_wait, epolls_listener},
#endif
};

/* "NUMBER 0xARG0 0xARG1 ... SP PC", or "running".  1: the thread waits on the listener. */
static int thread_waits(void *ctx, int dir, long tid)
{
	const struct waiting *w = ctx;
	char name[48], buf[256];
	unsigned long arg[3];
	long number;

	snprintf(name, sizeof(name), "%ld/syscall", tid);
	if (read_proc(dir, name, buf, sizeof(buf)) <= 0 || sscanf(buf, "%ld %lx %lx %lx", &number, &arg[0], &arg[1], &arg[2]) != 4)
		return 0;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == number)
			return calls[i].waits(w, arg);
	return 0;
}

static bool process_waits(const struct probe_listener *l, pid_t pid, bool may_peek)
{
	uid_t before = look_as_owner(pid);
	fp_autoclose int fds = open_proc(pid, "fd"), tasks = open_proc(pid, "task");
	struct waiting w = {.pid = pid, .fds = fds, .listener = l->sock_ino, .may_peek = may_peek};
	bool waits = fds >= 0 && tasks >= 0 && walk_numbers(tasks, TASKS_MAX, thread_waits, &w) == 1;

	setfsuid(before);
	return waits;
}

enum probe_work probe_work_of(int diag, const struct probe_listener *l, const pid_t *pids, unsigned count, bool may_peek)
{
	int held = probe_holds_connection(diag, l, pids, count);

	if (held != 0)
		return held < 0 ? PROBE_BLIND : PROBE_SERVING;
	for (unsigned i = 0; i < count; i++)
		if (process_waits(l, pids[i], may_peek))
			return PROBE_WAITING;
	return PROBE_BOOTING;
}

/* ---- freeze ---- */

/* The state letter stands behind the last ')': a process may call itself ") T 1 1". */
static char state_of(const char *stat)
{
	const char *paren = strrchr(stat, ')');

	return paren != NULL && paren[1] == ' ' ? paren[2] : '?';
}

static int thread_runs(void *ctx, int dir, long tid)
{
	char name[48], buf[1024], state;

	(void)ctx;
	snprintf(name, sizeof(name), "%ld/stat", tid);
	if (read_proc(dir, name, buf, sizeof(buf)) <= 0)
		return 0;
	state = state_of(buf);
	return state != 'T' && state != 't' && state != 'Z' && state != 'X';
}

/* 1: every thread of it stands still (or it is gone). */
static bool stands_still(pid_t pid, bool leader)
{
	siginfo_t info = {.si_pid = 0};
	fp_autoclose int tasks = -1;

	if (leader && waitid(P_PID, (id_t)pid, &info, WSTOPPED | WEXITED | WNOHANG | WNOWAIT) == 0)
		return info.si_pid == pid;
	tasks = open_proc(pid, "task");
	return tasks < 0 || walk_numbers(tasks, TASKS_MAX, thread_runs, NULL) == 0;
}

static int wait_still(const pid_t *pids, unsigned count, int64_t until_us)
{
	static const struct timespec nap = {.tv_nsec = 20000};
	unsigned i = 0;

	while (i < count) {
		if (stands_still(pids[i], i == 0)) {
			i++;
			continue;
		}
		if (fp_now_us() > until_us)
			return -ETIMEDOUT;
		nanosleep(&nap, NULL);
	}
	return 0;
}

int probe_freeze(pid_t leader, pid_t *ret_pids, unsigned *ret_count, int64_t limit_us)
{
	int64_t until = fp_now_us() + limit_us;
	unsigned stopped = 0;
	int r;

	/* What a process forked before it stood still is found in the next round. */
	do {
		*ret_count = probe_tree(leader, ret_pids, PROBE_TREE_MAX);
		if (*ret_count == PROBE_TREE_MAX)
			return -E2BIG; /* there may be more, and one of those may serve */
		if (*ret_count <= stopped)
			return 0;
		for (unsigned i = 0; i < *ret_count; i++)
			if (kill(ret_pids[i], SIGSTOP) < 0 && i == 0)
				return -errno;
		stopped = *ret_count;
		r = wait_still(ret_pids, *ret_count, until);
	} while (r == 0);
	return r;
}

void probe_thaw(const pid_t *pids, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		kill(pids[i], SIGCONT);
}

/* One of the signal masks in /proc/PID/status (proc(5)). */
static uint64_t signal_mask(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at != NULL ? strtoull(at + strlen(name), NULL, 16) : 0;
}

static bool read_status(pid_t pid, char *status, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	return read_proc(AT_FDCWD, path, status, size) > 0;
}

#define BIT(signal) (1ULL << ((signal)-1))

int probe_stop_signal(pid_t pid, int signal)
{
	static const uint64_t nothing = BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGURG) | BIT(SIGWINCH);
	char status[4096];
	const char *threads;

	if (!read_status(pid, status, sizeof(status)) || ((signal_mask(status, "\nSigBlk:") | signal_mask(status, "\nSigCgt:")) & BIT(signal)) != 0)
		return signal;
	if (((nothing | signal_mask(status, "\nSigIgn:")) & BIT(signal)) != 0)
		return SIGKILL;
	threads = strstr(status, "\nThreads:");
	return threads != NULL && strtoul(threads + strlen("\nThreads:"), NULL, 10) > 1 ? SIGKILL : signal;
}

void probe_signal(pid_t pid, int signal)
{
	char status[4096];

	/* One for the process may be taken by any thread of it, while the main one goes back into accept and takes a connection. */
	if (read_status(pid, status, sizeof(status)) && (signal_mask(status, "\nSigBlk:") & BIT(signal)) == 0)
		syscall(SYS_tgkill, pid, pid, signal);
	else
		kill(pid, signal);
}

int64_t probe_memory(pid_t pid)
{
	char path[64], buf[128];
	long long resident;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	n = read_proc(AT_FDCWD, path, buf, sizeof(buf));
	if (n <= 0 || sscanf(buf, "%*d %lld", &resident) != 1)
		return n < 0 ? n : -EPROTO;
	return (int64_t)resident * sysconf(_SC_PAGESIZE);
}
