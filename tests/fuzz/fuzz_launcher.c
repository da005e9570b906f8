/* The launcher with a hostile manager, conf and look: messages of any form, in any order, while workers end and managers change.  Nothing is forked and
 * nobody is signalled: fork, kill and wait are replaced at link time (Makefile); sockets are bound in a directory of the test's own.
 *
 * The input is a row of steps: a byte that says which, a byte with a length, that many bytes.
 *   0x00 to 0x7f   a message of type (step & 15) with (step >> 4 & 3) descriptors and the bytes as its body; bit 6: without a sequence number
 *   0x80           a datagram of just these bytes
 *   0x90           the first child that runs ends, with the first byte as its exit code
 *   0xa0           the manager dies and another comes
 *   0xb0           the next fork fails
 *   0xc0           the time limits that are due fire
 *   0xd0           the child that was forked last (conf, look) sends a message of type 32 + (step & 3) with (step >> 2 & 3) descriptors
 *   0xe0           what that child's spec is from now on: the first byte says which
 *   0xf0           the bytes are said on the descriptor of the newest template; bit 0: by the template itself, else by a child of its
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/launcher/holder.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/link.h"
#include "fcgipm/launcher/load.h"
#include "fcgipm/launcher/load_state.h"
#include "fcgipm/probe/queue.h"
#include "fcgipm/wire/launcher.h"
#include "tests/fuzz/started.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- processes that are none ---- */

enum { FIRST_PID = 5000000 /* beyond any pid_max */, MOST_CHILDREN = 4096 };

static struct {
	bool runs[MOST_CHILDREN];
	unsigned count;
	bool forked; /* a template's child, which has our own number: the kernel says who speaks */
	pid_t ending; /* the child that has ended and is not yet reaped; 0 none */
	int status;
	bool fork_fails;
	int peer; /* the end of the newest socket pair that a child would hold */
	uint8_t spec; /* which one conf sends */
} world;

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
	if (world.fork_fails || world.count == MOST_CHILDREN) {
		world.fork_fails = false;
		return -EAGAIN;
	}
	*ret_pidfd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	world.runs[world.count] = true;
	return FIRST_PID + (int)world.count++;
}

int __wrap_waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	(void)type, (void)id, (void)options;
	info->si_pid = world.ending;
	return 0;
}

pid_t __wrap_waitpid(pid_t pid, int *status, int options)
{
	(void)options;
	if (pid < FIRST_PID && (pid != getpid() || !world.forked)) {
		errno = ECHILD;
		return -1;
	}
	if (status != NULL)
		*status = world.status;
	if (pid < FIRST_PID)
		world.forked = false;
	else
		world.runs[pid - FIRST_PID] = false;
	world.ending = 0;
	return pid;
}

pid_t __wrap_wait4(pid_t pid, int *status, int options, struct rusage *used)
{
	(void)used;
	return __wrap_waitpid(pid, status, options);
}

int __wrap_kill(pid_t pid, int signo)
{
	(void)signo;
	if (pid == 0 || pid == -1)
		abort(); /* ourselves, and everybody */
	return 0;
}

long __wrap_syscall(long number, ...)
{
	long a[5]; /* as many as come in registers */
	va_list ap;

	va_start(ap, number);
	for (unsigned i = 0; i < 5; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_pidfd_send_signal)
		return 0;
	if (number == SYS_pidfd_open && a[0] == getpid()) {
		world.forked = true;
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	return __real_syscall(number, a[0], a[1], a[2], a[3], a[4]);
}

int __wrap_socketpair(int domain, int type, int protocol, int fds[2])
{
	int r = __real_socketpair(domain, type, protocol, fds);

	fp_close(&world.peer);
	if (r == 0)
		world.peer = fcntl(fds[1], F_DUPFD_CLOEXEC, 3);
	return r;
}

static pid_t running(void)
{
	if (world.forked)
		return getpid();
	for (unsigned i = 0; i < world.count; i++)
		if (world.runs[i])
			return FIRST_PID + (pid_t)i;
	return 0;
}

static bool end_one(struct launcher *l, int code)
{
	world.ending = running();
	world.status = (code & 0xff) << 8;
	if (world.ending != 0)
		children_reap(l);
	return world.ending == 0 && running() != 0;
}

/* ---- one launcher ---- */

static char directory[64];

static const char *const files[] = {"pools.yaml", "fcgipm-conf", "fcgipm-look"};

static const char *in_directory(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void leave(void)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(in_directory(files[i]));
	rmdir(directory);
}

static void make_directory(void)
{
	strcpy(directory, "/tmp/fcgipm-fuzz.XXXXXX");
	if (mkdtemp(directory) == NULL || chmod(directory, 0755) < 0 || atexit(leave) != 0)
		abort();
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		close(open(in_directory(files[i]), O_CREAT | O_WRONLY | O_CLOEXEC, 0755));
}

static struct wire_blob spec_of(const char *name, uint8_t output)
{
	static uint8_t bytes[4096];
	static const char *argv[] = {"/bin/true", NULL}, *envp[] = {NULL};
	char address[100];
	struct wire_wr w = {.at = bytes, .cap = sizeof(bytes)};
	struct spec_pool p = {
		.name = name,
		.uid = 65534,
		.gid = 65534,
		.argv = argv,
		.envp = envp,
		.chroot = "",
		.directory = "/",
		.address = address,
		.socket_mode = 0600,
		.socket_uid = getuid(),
		.socket_gid = getgid(),
		.backlog = 8,
		.max_workers = 3,
		.stop_signal = SIGTERM,
		.output = output,
		.output_path = output == SPEC_OUTPUT_FILE ? "/nowhere/at/all" : "",
	};

	snprintf(address, sizeof(address), "%s/%s.sock", directory, name);
	spec_pool_encode(&w, &p);
	return (struct wire_blob){bytes, w.len};
}

/* One of four specs: as at the start, "a" changed, no pool at all, one with an account that no pool may have. */
static int spec_fd(uint8_t which)
{
	static uint8_t bytes[16384], pools[2][4096];
	struct wire_wr w = {.at = bytes, .cap = sizeof(bytes)};
	struct spec_entry entries[2] = {{.name = "a"}, {.name = "b"}};
	const char *names[] = {"pools.yaml"};
	struct spec_file f = {
		.manager = {.user = "m", .uid = 990, .gid = 990, .runtime_directory = "/nowhere/run", .max_workers = 4, .log_target = "stderr"},
		.file_count = 1,
		.files = names,
		.pool_count = which % 4 == 2 ? 0 : 2,
		.pools = entries,
	};
	int fd = -1;

	for (unsigned i = 0; i < 2; i++) {
		entries[i].pool = spec_of(entries[i].name, i == 0 && which % 4 == 1 ? SPEC_OUTPUT_FILE : SPEC_OUTPUT_LOG);
		memcpy(pools[i], entries[i].pool.at, entries[i].pool.len);
		entries[i].pool.at = pools[i];
	}
	f.manager.uid = which % 4 == 3 ? 65534 : 990;
	spec_file_encode(&w, &f);
	if (w.bad || fp_memfd_sealed("spec", bytes, w.len, &fd) < 0)
		abort();
	return fd;
}

static struct pool_entry *entry(const char *name, uint32_t generation, uint8_t output)
{
	struct spec_entry e = {.name = name, .pool = spec_of(name, output), .settings = {(const uint8_t *)"", 0}};

	return pool_entry_new(&e, generation);
}

static void begin(struct launcher *l)
{
	static int null_fd = -1, diag_fd = -1;
	static char configuration[128];

	if (null_fd < 0) {
		null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		diag_fd = probe_diag_open();
		make_directory();
		fp_log_setup(getenv("FCGIPM_TEST_LOG") != NULL ? STDERR_FILENO : null_fd, FP_LOG_DEBUG, FP_LOG_LOGFMT);
	}
	strcpy(configuration, in_directory("pools.yaml"));
	*l = (struct launcher){
		.phase = PHASE_SERVING,
		.config = configuration,
		.exe_dir = strdup(directory),
		.runtime = strdup("/nowhere/run"),
		.log_target = strdup("stderr"),
		.conf = {991, 991},
		.manager = {990, 990},
		.ordinary = getuid() != 0,
		.self = {getuid(), getgid()},
		.lock_fd = -1,
		.control_fd = null_fd,
		.log_fd = null_fd,
		.null_fd = null_fd,
		.diag_fd = diag_fd,
		.state_fd = -1,
		.library_fd = null_fd,
		.link.fd = -1,
		.max_workers = 4,
		.generation = 2,
		.spawn_tokens = INT64_MAX / 4096,
	};
	world.count = 0;
	world.ending = 0;
	world.forked = false;
	world.fork_fails = false;
	world.peer = -1;
	world.spec = 0;
	outbox_init(&l->outbox);
	if (loop_init(&l->loop) < 0)
		abort();
	pool_intern(&l->pools, "a")->current = entry("a", 1, SPEC_OUTPUT_LOG);
	pool_find(&l->pools, "a")->candidate = entry("a", 2, SPEC_OUTPUT_NULL);
	pool_intern(&l->pools, "b")->current = entry("b", 2, SPEC_OUTPUT_FILE);
	pool_intern(&l->pools, "c")->current = entry("c", 1, SPEC_OUTPUT_LOG);
	pool_find(&l->pools, "c")->removed = true;
}

static void end(struct launcher *l)
{
	link_close(l);
	load_cancel(l);
	while (end_one(l, 0))
		;
	pool_table_clear(l);
	while (end_one(l, 0)) /* those that remove names */
		;
	while (l->waste.count > 0) /* no child closes them here */
		close(l->waste.fds[--l->waste.count]);
	holder_close(l);
	fp_close(&l->state_fd);
	fp_close(&world.peer);
	free((void *)(uintptr_t)l->manager_settings.at);
	free(l->exe_dir);
	free(l->runtime);
	free(l->log_target);
	free(l->workers.slot);
	loop_fini(&l->loop);
}

/* ---- the manager ---- */

static int new_manager(struct launcher *l)
{
	int pair[2];

	link_close(l);
	if (__real_socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		abort();
	l->manager_starts++;
	link_open(l, pair[0]);
	return pair[1];
}

static void drain(int fd)
{
	static struct wire_dgram in;

	while (wire_recv(fd, &in) == 1)
		wire_dgram_close(&in);
}

static void send_message(int fd, uint16_t type, uint32_t seq, struct wire_blob body, const int *fds, unsigned nfds)
{
	static struct wire_dgram out;
	struct wire_wr w;

	wire_begin(&out, &w, type, seq);
	for (size_t i = 0; i < body.len; i++)
		wire_put_u8(&w, body.at[i]);
	if (wire_end(&out, &w) == 0)
		(void)wire_send(fd, &out, fds, nfds);
}

static void child_sends(struct launcher *l, uint8_t step, struct wire_blob body)
{
	fp_autoclose int text = -1, spec = spec_fd(world.spec);

	if (world.peer < 0 || fp_memfd_sealed("text", "p.yaml:1:1: \033wrong\n", 20, &text) < 0)
		return;
	send_message(world.peer, 32 + (step & 3), 0, body, (const int[]){text, spec, spec}, step >> 2 & 3);
	if (l->load != NULL && l->load->sock.fd >= 0)
		l->load->sock.ready(l->load->sock.ctx, EPOLLIN);
}

static void find_template(struct launcher *l, struct worker *w, void *ctx)
{
	(void)l;
	if (w->hook.fd >= 0)
		*(struct worker **)ctx = w;
}

static void template_says(struct launcher *l, uint8_t step, struct wire_blob words)
{
	struct worker *t = NULL;
	pid_t pid;

	workers_each(l, find_template, &t);
	if (t == NULL || world.peer < 0)
		return;
	pid = t->child.pid;
	if ((step & 1) != 0)
		t->child.pid = getpid();
	t->uid = getuid();
	(void)!send(world.peer, words.at, words.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	t->hook.ready(t->hook.ctx, EPOLLIN);
	t->child.pid = pid;
}

static void take_step(struct launcher *l, int *manager, uint8_t step, const uint8_t *body, size_t len)
{
	switch (step & 0xf0) {
	case 0x80:
		(void)!send(*manager, body, len, MSG_NOSIGNAL);
		break;
	case 0x90:
		end_one(l, len > 0 ? body[0] : 0);
		break;
	case 0xa0:
		close(*manager);
		*manager = new_manager(l);
		break;
	case 0xb0:
		world.fork_fails = true;
		break;
	case 0xc0:
		while (l->loop.timers != NULL && l->loop.timers->at_ms <= fp_now_ms()) {
			struct loop_timer *t = l->loop.timers;

			loop_disarm(&l->loop, t);
			t->fire(t->ctx);
		}
		break;
	case 0xd0:
		child_sends(l, step, (struct wire_blob){body, len});
		break;
	case 0xe0:
		world.spec = len > 0 ? body[0] : 0;
		break;
	case 0xf0:
		template_says(l, step, (struct wire_blob){body, len});
		break;
	default:
		if (step < 0x80)
			send_message(*manager, step & 15, (step & 0x40) != 0 ? 0 : 7, (struct wire_blob){body, len},
				     (const int[]){STDERR_FILENO, STDERR_FILENO, STDERR_FILENO}, step >> 4 & 3);
	}
	if (l->link.fd >= 0)
		l->link.ready(l->link.ctx, EPOLLIN | EPOLLOUT);
	drain(*manager);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct launcher l;
	int manager;

	begin(&l);
	manager = new_manager(&l);
	while (size >= 2 && !l.loop.stop) {
		uint8_t step = data[0];
		size_t len = data[1] < size - 2 ? data[1] : size - 2;

		take_step(&l, &manager, step, data + 2, len);
		data += 2 + len;
		size -= 2 + len;
	}
	close(manager);
	end(&l);
	return 0;
}
