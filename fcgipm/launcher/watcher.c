/* Watchers of busy workers (launcher process).  A watcher's word is worth no more than its account's: if it says "signalled" and lies, the worker is killed
 * stop.timeout later. */
#include "fcgipm/launcher/watcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/runtime.h"

/* An account that stops its own watcher keeps its own worker, for a while. */
enum { WATCHERS_MAX = 64, WATCHER_LIMIT_MS = 60000, WATCHER_PIDFD = 3 };

struct watcher {
	struct child child;
	uint64_t worker; /* id */
	int64_t started_ms;
};

enum { WATCH_SIGNALLED, WATCH_GONE, WATCH_CANNOT }; /* fcgipm/retire/watch.h */

static void watcher_exited(struct child *c, int status)
{
	struct watcher *x = (struct watcher *)c;
	struct worker *w = worker_find(c->launcher, x->worker);

	c->launcher->watchers--;
	if (w != NULL) {
		w->watcher = NULL;
		if (WIFEXITED(status) && WEXITSTATUS(status) == WATCH_SIGNALLED)
			worker_mark_signalled(w, WIRE_STAGE_SIGNALLED);
		else if (WIFEXITED(status) && WEXITSTATUS(status) != WATCH_GONE)
			w->unwatchable = true;
	}
	free(x);
}
static const struct child_ops watcher_ops = {.what = "retire", .session = true, .exited = watcher_exited};

static int watcher_fork(struct launcher *l, struct watcher *x, const struct worker *w, int exe)
{
	static const char *const envp[] = {NULL};
	char pid[16], signal[16];
	const char *const argv[] = {"fcgipm-retire", pid, signal, NULL};
	struct priv_jail jail = {
		.stdio = {w->listener->fd, l->null_fd, l->null_fd},
		.keep = {w->child.pidfd},
		.keep_count = 1,
		.keep_as = WATCHER_PIDFD,
		.new_session = true,
		.change_account = !l->ordinary,
		.uid = w->uid,
		.gid = w->gid,
		.chroot = "",
		.directory = "/",
		.umask = 077,
		.nice = l->nice,
		.limits = {{RLIMIT_CORE, 0}},
		.limit_count = 1,
		.no_new_privs = true,
		.exec_fd = exe,
		.path = "fcgipm-retire",
		.argv = argv,
		.envp = envp,
	};

	snprintf(pid, sizeof(pid), "%d", (int)w->child.pid);
	snprintf(signal, sizeof(signal), "%d", (int)w->stop_signal);
	return child_exec(l, &x->child, &watcher_ops, &jail);
}

void watcher_start(struct launcher *l, struct worker *w)
{
	fp_autoclose int exe = -1;
	struct watcher *x;

	if (w->unwatchable || l->watchers >= WATCHERS_MAX)
		return;
	exe = runtime_open_role(l, "fcgipm-retire");
	x = calloc(1, sizeof(*x));
	if (x != NULL)
		*x = (struct watcher){.worker = w->id, .started_ms = fp_now_ms()};
	if (exe < 0 || x == NULL || watcher_fork(l, x, w, exe) < 0) {
		free(x); /* looks go on */
		return;
	}
	w->watcher = x;
	l->watchers++;
}

bool watcher_runs(struct worker *w)
{
	if (w->watcher != NULL && fp_now_ms() - w->watcher->started_ms > WATCHER_LIMIT_MS)
		watcher_end(w);
	return w->watcher != NULL;
}

void watcher_end(struct worker *w)
{
	if (w->watcher != NULL)
		child_kill(&w->watcher->child);
}
