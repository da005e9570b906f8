/* Keeps a manager running (launcher process).  One that dies is replaced at once; one that dies again and again is damped, and workers serve on. */
#include "fcgipm/launcher/manager.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/launcher/ending.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/link.h"
#include "fcgipm/launcher/log_target.h"
#include "fcgipm/launcher/runtime.h"
#include "fcgipm/wire/launcher.h"

enum { HEALTHY_MS = 5000, FIRST_DELAY_MS = 100, MOST_DELAY_MS = 30000 };

static void manager_again(void *ctx)
{
	manager_start(ctx);
}

/* The first death after a healthy while is answered at once; each further one waits twice as long. */
static void plan_restart(struct launcher *l)
{
	int64_t now = fp_now_ms(), delay = 0;

	if (now - l->manager_started_ms >= HEALTHY_MS)
		l->manager_delay_ms = 0;
	delay = l->manager_delay_ms;
	l->manager_delay_ms = delay == 0 ? FIRST_DELAY_MS : delay * 2;
	if (l->manager_delay_ms > MOST_DELAY_MS)
		l->manager_delay_ms = MOST_DELAY_MS;
	l->manager_restart = (struct loop_timer){.fire = manager_again, .ctx = l};
	loop_arm(&l->loop, &l->manager_restart, now + delay);
}

static void manager_exited(struct child *c, int status)
{
	struct launcher *l = c->launcher;

	link_close(l);
	if (l->ending_timer.fire != NULL)
		return; /* we ended it */
	if (c->failure.step != PRIV_STEP_NONE)
		log_error("manager.failed", KS("step", priv_step_name(c->failure.step)), KI("errno", c->failure.error));
	if (l->phase == PHASE_ENDING && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		ending_finish(l);
		return;
	}
	log_warn("manager.died", KI("pid", c->pid), KI("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
		 KI("status", WIFEXITED(status) ? WEXITSTATUS(status) : 0), KI("workers", l->workers.count - l->templates));
	plan_restart(l);
}
static const struct child_ops manager_ops = {.what = "manager", .session = true, .exited = manager_exited};

/* As many descriptors as we may have ourselves: it holds every listener and every output. */
static void jail_of_manager(struct launcher *l, int exe, int link, struct priv_jail *j)
{
	static const char *const argv[] = {"fcgipm-manager", NULL};
	static const char *const envp[] = {"PATH=/usr/bin:/bin", NULL};
	struct rlimit files = {0};

	getrlimit(RLIMIT_NOFILE, &files);
	*j = (struct priv_jail){
		.stdio = {l->null_fd, log_target_stderr(l), log_target_stderr(l)},
		.keep = {link},
		.keep_count = 1,
		.keep_as = WIRE_LAUNCHER_FD,
		.new_session = true,
		.change_account = !l->ordinary,
		.uid = l->manager.uid,
		.gid = l->manager.gid,
		.chroot = "",
		.directory = "/",
		.umask = 077,
		.nice = l->own_nice,
		.limits = {{RLIMIT_NOFILE, files.rlim_max}, {RLIMIT_CORE, 0}},
		.limit_count = 2,
		.no_new_privs = true,
		.exec_fd = exe,
		.path = "fcgipm-manager",
		.argv = argv,
		.envp = envp,
	};
}

void manager_start(struct launcher *l)
{
	struct priv_jail jail;
	fp_autoclose int exe = runtime_open_role(l, "fcgipm-manager");
	int pair[2] = {-1, -1};
	int r = exe < 0 ? exe : 0;

	if (r == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		r = -errno;
	if (r == 0) {
		jail_of_manager(l, exe, pair[1], &jail);
		r = child_exec(l, &l->manager_child, &manager_ops, &jail);
		fp_close(&pair[1]);
	}
	l->manager_started_ms = fp_now_ms();
	if (r < 0) {
		log_error("manager.failed", KS("step", "start"), KI("errno", -r));
		fp_close(&pair[0]);
		plan_restart(l);
		return;
	}
	link_open(l, pair[0]);
	l->manager_starts++;
	log_info("manager.started", KI("pid", l->manager_child.pid), KI("starts", l->manager_starts));
}
