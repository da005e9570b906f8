/* fcgipm-launcher: the privileged process.  It starts, reads its arguments, and enters the loop; it must never parse YAML, read a request, or wait. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/base/slice.h"
#include "fcgipm/launcher/ending.h"
#include "fcgipm/launcher/holder.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/link.h"
#include "fcgipm/launcher/load.h"
#include "fcgipm/launcher/log_target.h"
#include "fcgipm/launcher/profile.h"
#include "fcgipm/launcher/runtime.h"

enum { EXIT_USAGE = 2, EXIT_CONFIG = 78 };

static int usage(void)
{
	fputs("usage: fcgipm-launcher [--check [--dump] [--secrets]] -c FILE\n(started by `fcgipm run` and `fcgipm check`)\n", stderr);
	return EXIT_USAGE;
}

static int read_arguments(struct launcher *l, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--check") == 0)
			l->mode = MODE_CHECK;
		else if (strcmp(argv[i], "--dump") == 0)
			l->dump = true;
		else if (strcmp(argv[i], "--secrets") == 0)
			l->secrets = true;
		else if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
			l->config = argv[++i];
		else
			return usage();
	}
	return l->config == NULL ? usage() : 0;
}

/* 0, 1 and 2 are open whatever started us; of others only the sockets that a supervisor hands over are inherited. */
static int settle_descriptors(struct launcher *l, struct fp_err *err)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	while (fd >= 0 && fd <= 2) {
		fcntl(fd, F_SETFD, 0);
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	}
	fp_close(&fd);
	return handed_take(l, err);
}

/* Every listener and two descriptors a worker: as many as the system lets us have. */
static void raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

/* Launcher and manager come before the workers: a pool that is flooded does not keep them from starting another pool's.  A child has both until it is
 * fcgipm-start, for which we stand still, and gives them back there. */
static void rise(struct launcher *l)
{
	enum { ABOVE_WORKERS = 5 };

	l->nice = getpriority(PRIO_PROCESS, 0);
	l->own_nice = l->nice;
	if (setpriority(PRIO_PROCESS, 0, l->nice - ABOVE_WORKERS) == 0)
		l->own_nice = getpriority(PRIO_PROCESS, 0);
	fp_ask_short_slice();
}

static void reload_asked(struct launcher *l)
{
	if (l->phase != PHASE_ENDING)
		link_want_reload(l);
}

static void reopen_asked(struct launcher *l)
{
	struct fp_err err = {0};

	if (log_target_open(l, &err) < 0)
		log_error("launcher.log", KS("error", err.text));
	link_reopen(l);
}

static void signals_ready(void *ctx, uint32_t events)
{
	struct launcher *l = ctx;
	struct signalfd_siginfo info;

	(void)events;
	if (read(l->signals.fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGCHLD:
		children_reap(l);
		break;
	case SIGHUP:
		reload_asked(l);
		break;
	case SIGUSR1:
		reopen_asked(l);
		break;
	case SIGUSR2:
		log_warn("launcher.signal", KS("signal", "USR2"), KS("reason", "upgrade in place is not there yet"));
		break;
	default: /* TERM, INT: stop; QUIT: drain and stop */
		ending_begin(l, info.ssi_signo == SIGQUIT ? 0 : 1);
	}
}

/* Whoever started us may have signals ignored; SIGCHLD we catch.  By number, since libc hides two of its own. */
static uint64_t not_default(void)
{
	uint64_t bits = UINT64_C(1) << (SIGCHLD - 1);
	uint64_t action[8]; /* the kernel's struct sigaction: the handler first */

	for (int s = 1; s < _NSIG; s++)
		if (syscall(SYS_rt_sigaction, s, NULL, action, _NSIG / 8) == 0 && action[0] != 0)
			bits |= UINT64_C(1) << (s - 1);
	return bits;
}

/* Stops of children are nobody's business (SA_NOCLDSTOP); a peer that goes away must not end us (SIGPIPE). */
static int watch_signals(struct launcher *l)
{
	static const int watched[] = {SIGCHLD, SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGQUIT};
	struct sigaction children = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
		sigaddset(&set, watched[i]);
	signal(SIGPIPE, SIG_IGN);
	l->unclean_signals = not_default();
	if (sigaction(SIGCHLD, &children, NULL) < 0 || sigprocmask(SIG_SETMASK, &set, NULL) < 0)
		return -errno;
	l->signals = (struct loop_source){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .events = EPOLLIN, .ready = signals_ready, .ctx = l};
	return l->signals.fd < 0 ? -errno : loop_watch(&l->loop, &l->signals);
}

static int start(struct launcher *l, struct fp_err *err)
{
	int r = loop_init(&l->loop);

	if (r == 0)
		r = watch_signals(l);
	if (r < 0)
		return fp_fail(err, -r, "cannot set up: %m");
	/* Orphans of workers come to us, so that none outlives its worker unseen. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_DUMPABLE, 0);
	l->personality = priv_personality();
	r = runtime_init(l, err);
	return r < 0 ? r : load_start(l, l->mode == MODE_CHECK ? LOAD_CHECK : LOAD_START, err);
}

static void release(struct launcher *l)
{
	link_close(l);
	exec_clients_close(l);
	pool_table_clear(l);
	profiles_clear(l);
	cgroups_close(&l->exec.cgroups);
	children_reap(l); /* unlinkers */
	handed_close(l);
	holder_close(l);
	runtime_close(l);
	free((void *)(uintptr_t)l->manager_settings.at);
	free(l->workers.slot);
	fp_close(&l->starter_fd);
	fp_close(&l->library_fd);
	free(l->exe_dir);
	free(l->runtime);
	free(l->log_target);
	loop_fini(&l->loop);
}

int main(int argc, char **argv)
{
	static struct launcher l;
	struct fp_err err = {0};
	int r;

	l = (struct launcher){.phase = PHASE_STARTING,
			      .lock_fd = -1,
			      .control_fd = -1,
			      .state_fd = -1,
			      .log_fd = -1,
			      .starter_fd = -1,
			      .library_fd = -1,
			      .log_level = FP_LOG_INFO,
			      .link.fd = -1};
	umask(022);
	r = read_arguments(&l, argc, argv);
	if (r != 0)
		return r;
	if (settle_descriptors(&l, &err) < 0) {
		fprintf(stderr, "fcgipm: %s\n", err.text);
		return 1;
	}
	raise_limits();
	if (l.mode != MODE_CHECK)
		rise(&l);
	l.started_ms = fp_now_ms();
	outbox_init(&l.outbox);
	if (start(&l, &err) < 0) {
		fprintf(stderr, "fcgipm: %s\n", err.text);
		return EXIT_CONFIG;
	}
	r = loop_run(&l.loop);
	release(&l);
	return r < 0 ? 1 : l.exit_code;
}
