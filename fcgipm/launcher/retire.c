/* Workers (launcher process): look, retire, signal.  A worker is signalled only here, only while it is our unreaped child, so that no number can have become
 * somebody else's. */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/launcher/board.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/template.h"
#include "fcgipm/launcher/watcher.h"
#include "fcgipm/launcher/worker.h"
#include "fcgipm/probe/process.h"

enum { PEEK_AFTER_MS = 20, FREEZE_LIMIT_US = 1000, WATCH_AFTER_MS = 100, BLIND_BOOT_MS = 200 /* as the manager's */ };

static enum wire_look look_of_work(enum probe_work work)
{
	static const enum wire_look answer[] = {
		[PROBE_SERVING] = WIRE_LOOK_SERVING,
		[PROBE_WAITING] = WIRE_LOOK_IDLE,
		[PROBE_BOOTING] = WIRE_LOOK_BOOTING,
		[PROBE_BLIND] = WIRE_LOOK_BLIND,
	};

	return answer[work];
}

/* By itself, it seems, by two looks in a row, as the manager judges it: its own word of why may have been on the way. */
static void look_at_template(struct launcher *l, struct worker *t, enum wire_look look)
{
	bool serves = look == WIRE_LOOK_IDLE || look == WIRE_LOOK_SERVING || (look == WIRE_LOOK_BLIND && fp_now_ms() - t->spawned_ms >= BLIND_BOOT_MS);

	if (serves && t->seen_serving)
		template_seen_serving(l, t);
	t->seen_serving = serves;
}

enum wire_look worker_look(struct launcher *l, struct worker *w)
{
	pid_t pids[PROBE_TREE_MAX];
	enum wire_look look;
	unsigned count;

	if (w->stage == WIRE_STAGE_STARTING || w->ordered_from != NULL)
		return WIRE_LOOK_BOOTING;
	count = probe_tree(w->child.pid, pids, PROBE_TREE_MAX);
	/* What boots in no time waits in accept, or is between two requests as a rule when it seems to wait for something else. */
	look = look_of_work(probe_work_of(l->diag_fd, &w->listener->id, pids, count, fp_now_ms() - w->spawned_ms >= PEEK_AFTER_MS));
	if (w->how == WIRE_START_TEMPLATE)
		look_at_template(l, w, look);
	return look;
}

/* Through the pidfd for the leader; the group by number, which is the leader's own as long as we have not reaped it. */
static void signal_leader(const struct worker *w, int signal)
{
	syscall(SYS_pidfd_send_signal, w->child.pidfd, signal, NULL, 0);
}

static void signal_group(const struct worker *w, int signal)
{
	if (w->stage == WIRE_STAGE_STARTING || kill(-w->child.pid, signal) < 0)
		signal_leader(w, signal); /* it may not lead its group yet */
}

void worker_mark_signalled(struct worker *w, enum wire_stage stage)
{
	if (w->stage < stage)
		w->stage = stage;
	if (w->signalled_ms == 0)
		w->signalled_ms = fp_now_ms();
}

/* Stopped, a worker can neither accept nor answer; whether it holds a connection is then a fact.  If it holds none, its stop signal is pending before it
 * runs again, so it takes the signal before it can accept (docs/measured.md: 0 of 8,571 requests lost). */
static enum wire_look freeze_and_look(struct launcher *l, struct worker *w)
{
	pid_t pids[PROBE_TREE_MAX];
	unsigned count = 0;
	int held = 1; /* one that does not stop in time is asked again later */

	if (probe_freeze(w->child.pid, pids, &count, FREEZE_LIMIT_US) == 0)
		held = probe_holds_connection(l->diag_fd, &w->listener->id, pids, count);
	if (held == 0) {
		/* A template serves nobody, and holds the place of the next one: none that only notes its signal is waited for. */
		int signal = w->how == WIRE_START_TEMPLATE ? SIGKILL : probe_stop_signal(w->child.pid, w->stop_signal);

		if (count == 1)
			probe_signal(w->child.pid, signal);
		else
			signal_group(w, signal);
		worker_mark_signalled(w, WIRE_STAGE_SIGNALLED);
	}
	probe_thaw(pids, count);
	return held == 0 ? WIRE_LOOK_SIGNALLED : held < 0 ? WIRE_LOOK_BLIND : WIRE_LOOK_SERVING;
}

/* On its way to exec it has accepted nothing, and no signal of its application's choice would be understood.  Frozen, it cannot come to exec meanwhile. */
static bool end_before_exec(struct worker *w)
{
	pid_t pids[PROBE_TREE_MAX];
	unsigned count = 0;

	child_learn(&w->child);
	if (w->stage == WIRE_STAGE_STARTING && probe_freeze(w->child.pid, pids, &count, FREEZE_LIMIT_US) == 0) {
		child_learn(&w->child);
		if (w->stage == WIRE_STAGE_STARTING) {
			signal_leader(w, SIGKILL);
			worker_mark_signalled(w, WIRE_STAGE_SIGNALLED);
		}
	}
	probe_thaw(pids, count);
	return w->stage == WIRE_STAGE_SIGNALLED;
}

enum wire_look worker_retire(struct launcher *l, struct worker *w)
{
	enum wire_look answer;

	if (w->stage >= WIRE_STAGE_SIGNALLED)
		return WIRE_LOOK_SIGNALLED;
	if (w->hooked) { /* it waits for orders, and serves nobody */
		worker_signal(l, w, SIGKILL);
		return WIRE_LOOK_SIGNALLED;
	}
	if (w->ordered_from != NULL)
		return WIRE_LOOK_BOOTING; /* it has no number yet: none may be frozen for it */
	if (w->stage == WIRE_STAGE_STARTING && end_before_exec(w))
		return WIRE_LOOK_SIGNALLED;
	if (w->stage == WIRE_STAGE_STARTING)
		return WIRE_LOOK_BOOTING; /* it did not stand still in time: asked again */
	if (watcher_runs(w))
		return WIRE_LOOK_SERVING; /* frozen, it would not come to the end of its request */
	if (w->retire_ms == 0)
		w->retire_ms = fp_now_ms();
	answer = freeze_and_look(l, w);
	if (answer == WIRE_LOOK_SERVING && fp_now_ms() - w->retire_ms >= WATCH_AFTER_MS)
		watcher_start(l, w);
	return answer;
}

int worker_signal(struct launcher *l, struct worker *w, int signal)
{
	(void)l;
	if (signal <= 0 || (signal != w->stop_signal && signal != w->busy_signal && signal != SIGTERM && signal != SIGKILL))
		return -EPERM;
	if (w->ordered_from != NULL) { /* there is nobody yet: it is ended as it comes */
		worker_mark_signalled(w, WIRE_STAGE_KILLED);
		return 0;
	}
	if (!w->child.running) /* reaped, and its number may be another's: a template may still have spoken */
		return 0;
	if (signal == SIGKILL) {
		watcher_end(w);
		signal_group(w, SIGKILL);
		signal_leader(w, SIGKILL);
		worker_mark_signalled(w, WIRE_STAGE_KILLED);
		return 0;
	}
	signal_leader(w, signal);
	worker_mark_signalled(w, WIRE_STAGE_SIGNALLED);
	return 0;
}

enum wire_look worker_cut(struct launcher *l, struct worker *w, int64_t since_ns)
{
	pid_t pids[PROBE_TREE_MAX];
	unsigned count = 0;
	bool same;

	if (w->ordered_from != NULL || w->stage == WIRE_STAGE_STARTING)
		return WIRE_LOOK_BOOTING;
	(void)probe_freeze(w->child.pid, pids, &count,
			   FREEZE_LIMIT_US); /* one that does not stand still in time (a file system that hangs) does not answer either */
	same = board_is_busy_since(&w->pool->board, w->slot, since_ns);
	if (same)
		worker_signal(l, w, SIGKILL);
	probe_thaw(pids, count);
	return same ? WIRE_LOOK_SIGNALLED : WIRE_LOOK_SERVING;
}

static void kill_each(struct launcher *l, struct worker *w, void *ctx)
{
	(void)ctx;
	if (w->ordered_from == NULL)
		worker_signal(l, w, SIGKILL);
}

void workers_kill(struct launcher *l)
{
	workers_each(l, kill_each, NULL);
}
