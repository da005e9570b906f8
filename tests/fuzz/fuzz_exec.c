/* A hostile client of the exec broker: any datagrams with any descriptors, while what it started execs, fails and ends in any order.  No process is forked. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/profile.h"
#include "fcgipm/wire/dgram.h"
#include "fcgipm/wire/exec.h"
#include "tests/fuzz/started.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- processes that are none ---- */

enum { FIRST_PID = 5000000 /* beyond any pid_max */, CLIENTS = 3 };
static unsigned forked;
static pid_t ending;

int __wrap_waitid(idtype_t type, id_t id, siginfo_t *info, int options);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);
pid_t __wrap_wait4(pid_t pid, int *status, int options, struct rusage *used);
int __wrap_kill(pid_t pid, int signo);
int __wrap_socketpair(int domain, int type, int protocol, int fds[2]);
int __real_socketpair(int domain, int type, int protocol, int fds[2]);
long __wrap_syscall(long number, ...);
long __real_syscall(long number, ...);

int __wrap_priv_fork(int *ret_pidfd)
{
	*ret_pidfd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return FIRST_PID + (int)forked++;
}

int __wrap_waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	(void)type, (void)id, (void)options;
	info->si_pid = ending;
	return 0;
}

pid_t __wrap_waitpid(pid_t pid, int *status, int options)
{
	(void)options;
	if (status != NULL)
		*status = pid % 3 == 0 ? 9 : 256;
	ending = 0;
	return pid;
}

pid_t __wrap_wait4(pid_t pid, int *status, int options, struct rusage *used)
{
	(void)used;
	return __wrap_waitpid(pid, status, options);
}

int __wrap_kill(pid_t pid, int signo)
{
	(void)pid, (void)signo;
	return 0;
}

int __wrap_socketpair(int domain, int type, int protocol, int fds[2])
{
	return __real_socketpair(domain, type, protocol, fds);
}

long __wrap_syscall(long number, ...)
{
	long a[5];
	va_list ap;

	va_start(ap, number);
	for (unsigned i = 0; i < 5; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	return number == SYS_pidfd_send_signal ? 0 : __real_syscall(number, a[0], a[1], a[2], a[3], a[4]);
}

/* ---- the launcher ---- */

static struct launcher l;

static void enter_profile(void)
{
	static const char *roots[] = {"/bin", "/home/*/cgi", NULL}, *none[] = {NULL}, *allow[] = {"X_*", NULL}, *set[] = {"PATH=/bin", NULL};
	uint32_t uid = geteuid();
	struct spec_profile p = {.name = "p",
				 .roots = roots,
				 .max_arguments = 8,
				 .arguments = none,
				 .allow = allow,
				 .envp = set,
				 .owner = true,
				 .min_uid = 1,
				 .min_gid = 1,
				 .client_uids = {1, &uid},
				 .chroot = "",
				 .directory = "",
				 .worker_clients = true,
				 .umask = 022,
				 .no_new_privileges = true,
				 .stop_timeout_ms = 1,
				 .max_running = 2,
				 .queue_limit = 2,
				 .timeout_ms = 1000};
	struct wire_wr w = {.at = malloc(4096), .cap = 4096};
	struct wire_blob blob;

	spec_profile_encode(&w, &p);
	blob = (struct wire_blob){.at = w.at, .len = w.len};
	if (w.bad || profiles_take(&l, &(struct spec_file){.profile_count = 1, .profiles = &blob}) < 0)
		abort();
	free(w.at);
}

static void set_up(void)
{
	l = (struct launcher){.phase = PHASE_SERVING, .log_level = FP_LOG_ERROR};
	l.manager_child.pidfd = l.link.fd = -1;
	l.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (loop_init(&l.loop) < 0)
		abort();
	if (exec_open(&l) < 0)
		abort();
	enter_profile();
}

static struct exec_client *client_at(unsigned n)
{
	struct exec_client *c = l.exec.clients;

	while (c != NULL && n-- > 0)
		c = c->next;
	return c;
}

static struct run *any_run(unsigned n)
{
	struct run *r = l.exec.runs;

	(void)n;
	return r;
}

/* It has come to exec, or a step has failed: as its pipe would say. */
static void report(uint8_t how)
{
	struct child *c = (struct child *)any_run(0);

	if (c == NULL || c->report.fd < 0)
		return;
	if (how % 2 == 0)
		child_learn(c); /* the other end is closed: exec */
	else
		c->failure = (struct priv_report){.step = how % PRIV_STEP_COUNT, .error = how};
}

static void end_one(void)
{
	struct child *c = (struct child *)any_run(0);

	if (c == NULL)
		return;
	ending = c->pid;
	children_reap(&l);
}

struct peer {
	int theirs;
};

static void say(const struct peer *p, const uint8_t *at, size_t len, unsigned nfds)
{
	struct wire_dgram d;
	int fds[WIRE_FDS_MAX];

	if (len > WIRE_DGRAM_MAX - WIRE_HEADER_LEN)
		len = WIRE_DGRAM_MAX - WIRE_HEADER_LEN;
	memcpy(d.bytes, at, len);
	d.len = len;
	for (unsigned i = 0; i < nfds; i++)
		fds[i] = l.null_fd;
	wire_send(p->theirs, &d, fds, nfds);
}

static void drain(const struct peer *p)
{
	static struct wire_dgram got;

	while (wire_recv(p->theirs, &got) == 1)
		wire_dgram_close(&got);
}

static void connect_one(struct peer *p)
{
	int pair[2];

	if (p->theirs >= 0)
		close(p->theirs);
	if (__real_socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		abort();
	p->theirs = pair[0];
	exec_client_take(&l, pair[1]);
}

static void act(struct peer *peers, uint8_t what, const uint8_t *at, size_t len)
{
	struct peer *p = &peers[what % CLIENTS];
	struct exec_client *c = client_at(what % CLIENTS);

	switch (what / CLIENTS % 8) {
	case 0:
		connect_one(p);
		break;
	case 1:
		report(what);
		break;
	case 2:
		end_one();
		break;
	case 3:
		drain(p);
		break;
	default:
		say(p, at, len, what / 64);
	}
	if (c != NULL && client_at(what % CLIENTS) == c)
		c->source.ready(c, EPOLLIN);
}

/* Actions: u8 what, u8 length, bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct peer peers[CLIENTS] = {{-1}, {-1}, {-1}};

	set_up();
	for (unsigned i = 0; i < CLIENTS; i++)
		connect_one(&peers[i]);
	while (size >= 2) {
		size_t len = data[1] < size - 2 ? data[1] : size - 2;

		act(peers, data[0], data + 2, len);
		data += 2 + len;
		size -= 2 + len;
	}
	exec_clients_close(&l);
	while (l.exec.runs != NULL)
		end_one();
	for (unsigned i = 0; i < CLIENTS; i++)
		close(peers[i].theirs);
	while (l.waste.count > 0) /* no child closes them here */
		close(l.waste.fds[--l.waste.count]);
	profiles_clear(&l);
	cgroups_close(&l.exec.cgroups);
	loop_fini(&l.loop);
	close(l.null_fd);
	return 0;
}
