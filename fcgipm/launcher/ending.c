/* The end (launcher process).  After it no process, socket file or lock of ours is left, whatever the manager did. */
#include "fcgipm/launcher/ending.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/log.h"
#include "fcgipm/launcher/holder.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/link.h"
#include "fcgipm/launcher/load.h"
#include "fcgipm/launcher/notify.h"

enum { MANAGER_SPARE_MS = 5000, LAST_LOOK_MS = 20, LAST_LOOKS = 250 /* 5 s */ };

static void too_late(void *ctx)
{
	struct launcher *l = ctx;

	log_warn("launcher.stop_timeout", KI("workers", l->workers.count), KI("runs", l->exec.running));
	l->ending_now = true;
	ending_finish(l);
}

static void find_longest(struct launcher *l, struct pool *p, void *ctx)
{
	int64_t *longest = ctx;

	(void)l;
	if (p->workers > 0 && p->current != NULL && *longest >= 0)
		*longest = p->current->stop_timeout_ms == 0 ? -1 : *longest > p->current->stop_timeout_ms ? *longest : p->current->stop_timeout_ms;
}

/* A manager ends its workers within their stop.timeout.  One that hangs, or that was taken over, does not hold us for longer. */
static void limit_stop(struct launcher *l)
{
	int64_t longest = runs_end_ms(l);

	if (l->stop_limit.fire != NULL)
		return;
	pool_each(l, find_longest, &longest);
	l->stop_limit = (struct loop_timer){.fire = too_late, .ctx = l};
	if (longest >= 0)
		loop_arm(&l->loop, &l->stop_limit, fp_now_ms() + longest + MANAGER_SPARE_MS);
}

void ending_begin(struct launcher *l, uint8_t how)
{
	if (l->phase != PHASE_ENDING) {
		l->phase = PHASE_ENDING;
		notify_supervisor(NOTIFY_STOPPING);
		log_info("launcher.stopping", KS("how", how == 0 ? "drain" : "stop"), KI("workers", l->workers.count));
		load_cancel(l);
		holder_forget(l); /* who holds what now is what counts */
	} else if (l->ending_how == 1) {
		l->ending_now = true;
		ending_finish(l); /* asked to stop twice: at once */
		return;
	}
	l->ending_how = how > l->ending_how ? how : l->ending_how;
	if (l->ending_how == 1) {
		limit_stop(l);
		runs_end(l, false);
	}
	if (l->link.fd >= 0)
		link_quit(l, l->ending_how);
	/* else the next manager is told when it starts */
}

static bool all_reaped(const struct launcher *l)
{
	for (unsigned b = 0; b < CHILD_BUCKETS; b++)
		if (l->children.bucket[b] != NULL)
			return false;
	return waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD;
}

/* SIGKILL can be late (a process in the kernel's hands), and a killed process leaves its own children to us: looked at until none is left. */
static void last_look(void *ctx)
{
	struct launcher *l = ctx;

	children_reap(l);
	if (all_reaped(l) || ++l->ending_signals > LAST_LOOKS) {
		l->loop.stop = true;
		return;
	}
	children_end_strays(l, 0);
	loop_arm(&l->loop, &l->ending_timer, fp_now_ms() + (l->ending_signals < 5 ? 1 : LAST_LOOK_MS));
}

void ending_finish(struct launcher *l)
{
	if (l->ending_timer.fire != NULL)
		return;
	l->phase = PHASE_ENDING;
	l->ending_waits = l->exec.running > 0 && !l->ending_now;
	if (l->ending_waits)
		return;
	loop_disarm(&l->loop, &l->manager_restart);
	loop_disarm(&l->loop, &l->stop_limit);
	workers_kill(l);
	runs_end(l, true);
	child_kill(&l->manager_child);
	children_end_strays(l, 0);
	l->ending_timer = (struct loop_timer){.fire = last_look, .ctx = l};
	last_look(l);
}

void ending_run_ended(struct launcher *l)
{
	if (l->ending_waits)
		ending_finish(l);
}
