/* What runs for clients of the exec broker (launcher process): admitted by a profile, in order, started, and ended with all that it left. */
#include "fcgipm/launcher/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/launcher/ending.h"
#include "fcgipm/launcher/exec_plan.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/profile.h"
#include "fcgipm/wire/exec.h"

enum run_state { RUN_WAITS, RUN_STARTS, RUN_RUNS };

struct run {
	struct child child;
	struct run *next; /* of those that wait, or that were started */
	struct exec_client *client; /* NULL: it has gone */
	struct exec_account *account; /* of words: while it waits */
	struct profile *profile;
	enum run_state state;
	struct wire_blob words; /* while it waits: malloc'd */
	char *directory;
	uint8_t given, null; /* descriptors that its client gives, which its child takes; that are /dev/null */
	int stdio[3]; /* what it gets of ours */
	int ours[3]; /* the other ends of the pipes */
	struct loop_timer timer; /* profile's timeout, then stop.timeout */
	struct cgroup *cgroup;
	uint8_t why; /* enum wire_exec_why */
	bool outlives, leaves, ending;
	int64_t timeout_ms, stop_timeout_ms;
};

/* ---- judging before the start ---- */

static enum fcgipm_refusal permits(const struct exec_client *c, const struct profile *p)
{
	if (p == NULL || p->gone)
		return FCGIPM_REFUSED_PROFILE;
	if (!profile_permits(p, &c->peer))
		return FCGIPM_REFUSED_CLIENT;
	return c->descends != 0 && !p->spec.worker_clients ? FCGIPM_REFUSED_WORKER : FCGIPM_REFUSED_NOT;
}

/* ---- the start ---- */

static int make_pipes(struct run *r, int null_fd)
{
	int p[2];

	for (unsigned i = 0; i < 3; i++) {
		if ((r->null >> i & 1) != 0)
			r->stdio[i] = null_fd;
		if (((r->given | r->null) >> i & 1) != 0)
			continue;
		if (pipe2(p, O_CLOEXEC) < 0 || fchmod(p[0], 0666) < 0) /* so that it can open /dev/stderr, whoever it is by then */
			return -errno;
		r->stdio[i] = p[i == 0 ? 0 : 1];
		r->ours[i] = p[i == 0 ? 1 : 0];
	}
	return 0;
}

static const struct child_ops run_ops;

static void close_theirs(struct run *r)
{
	for (unsigned i = 0; i < 3; i++) {
		if ((r->null >> i & 1) == 0)
			fp_close(&r->stdio[i]);
		r->stdio[i] = -1;
	}
}

static int start_with(struct launcher *l, struct run *r, struct priv_jail *jail)
{
	jail->cgroup = r->cgroup != NULL ? r->cgroup->dir : 0;
	jail->minded = r->cgroup == NULL;
	r->child.kill_signal = jail->minded ? PRIV_MINDER_KILL : SIGKILL;
	return child_exec(l, &r->child, &run_ops, jail);
}

/* Who may make cgroups may still not start into one: a filter that cannot look into clone3's arguments, a domain that is threaded. */
static int run_launch(struct launcher *l, struct run *r, const struct exec_plan *plan)
{
	struct priv_jail jail;
	int rc = make_pipes(r, l->null_fd);

	if (rc < 0)
		return rc;
	exec_plan_jail(l, plan, &jail);
	for (unsigned i = 0; i < 3; i++)
		jail.stdio[i] = r->stdio[i] >= 0 ? r->stdio[i] : l->null_fd; /* until its client's come */
	jail.leaves_descendants = r->leaves;
	r->cgroup = cgroup_take(&l->exec.cgroups);
	rc = start_with(l, r, &jail);
	if (rc < 0 && r->cgroup != NULL) {
		cgroup_return(&l->exec.cgroups, r->cgroup, true);
		r->cgroup = NULL;
		if (rc != -EAGAIN && rc != -ENOMEM)
			rc = start_with(l, r, &jail);
	}
	close_theirs(r);
	return rc;
}

static void free_words(struct launcher *l, struct run *r)
{
	exec_forget_words(l, r->account, &r->words);
	free(r->directory);
	r->directory = NULL;
}

static void run_free(struct launcher *l, struct run *r)
{
	close_theirs(r);
	for (unsigned i = 0; i < 3; i++)
		fp_close(&r->ours[i]);
	loop_disarm(&l->loop, &r->timer);
	free_words(l, r);
	if (r->client != NULL)
		r->client->run = NULL;
	free(r);
}

static void run_enter(struct launcher *l, struct run *r)
{
	r->next = l->exec.runs;
	l->exec.runs = r;
	l->exec.running++;
	r->profile->running++;
	ledger_tell(r->profile);
}

static void run_leave(struct launcher *l, struct run *r)
{
	struct run **at = &l->exec.runs;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	l->exec.running--;
	r->profile->running--;
	ledger_tell(r->profile);
}

static enum fcgipm_refusal run_start(struct launcher *l, struct run *r, const struct exec_plan *plan)
{
	const struct spec_profile *s = plan->spec;

	r->outlives = s->outlives_client;
	r->leaves = s->leaves_descendants;
	r->timeout_ms = (int64_t)s->timeout_ms;
	r->stop_timeout_ms = (int64_t)s->stop_timeout_ms;
	if (run_launch(l, r, plan) < 0)
		return FCGIPM_REFUSED_RESOURCES;
	r->state = RUN_STARTS;
	free_words(l, r);
	run_enter(l, r);
	return FCGIPM_REFUSED_NOT;
}

/* ---- waiting ---- */

static struct run *run_new(struct exec_client *c, struct profile *p, const struct exec_wish *w)
{
	struct run *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	*r = (struct run){.client = c, .account = c->account, .profile = p, .given = w->given, .null = w->null, .stdio = {-1, -1, -1}, .ours = {-1, -1, -1}};
	r->child.pidfd = r->child.report.fd = -1;
	c->run = r;
	return r;
}

static enum fcgipm_refusal run_wait(struct run *r, const struct exec_wish *w)
{
	struct profile *p = r->profile;

	if (p->waiting >= p->spec.queue_limit)
		return FCGIPM_REFUSED_BUSY;
	r->directory = strdup(w->directory);
	if (r->directory == NULL)
		return FCGIPM_REFUSED_RESOURCES;
	r->words = r->client->words; /* they change hands */
	r->client->words = (struct wire_blob){.at = NULL};
	r->state = RUN_WAITS;
	*p->last = r;
	p->last = &r->next;
	p->waiting++;
	ledger_tell(p);
	return FCGIPM_REFUSED_NOT;
}

static void run_unwait(struct run *r)
{
	struct profile *p = r->profile;
	struct run **at = &p->first;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	if (*at == NULL)
		p->last = at;
	r->next = NULL;
	p->waiting--;
	ledger_tell(p);
}

enum fcgipm_refusal run_ask(struct exec_client *c, const struct exec_wish *w)
{
	struct launcher *l = c->launcher;
	struct profile *p = profile_find(l, w->profile);
	enum fcgipm_refusal no = l->phase == PHASE_SERVING ? permits(c, p) : FCGIPM_REFUSED_ENDING;
	struct exec_plan plan = {.spec = NULL};
	struct run *r;

	if (no == FCGIPM_REFUSED_NOT)
		no = exec_plan_make(l, p, w, &plan);
	plan.sock = c->source.fd;
	if (no == FCGIPM_REFUSED_NOT) {
		r = run_new(c, p, w);
		if (r == NULL)
			no = FCGIPM_REFUSED_RESOURCES;
		else if (p->running < p->spec.max_running && p->waiting == 0)
			no = run_start(l, r, &plan);
		else
			no = run_wait(r, w);
		if (no != FCGIPM_REFUSED_NOT && r != NULL)
			run_free(l, r);
	}
	broker_words_free(&plan.words);
	return no;
}

/* A drain serves what is queued. */
static bool stops(const struct launcher *l)
{
	return l->phase == PHASE_ENDING && l->ending_how != 0;
}

/* Its turn has come: what was so when it asked may be so no more. */
static void run_turn(struct launcher *l, struct run *r)
{
	struct exec_client *c = r->client;
	const struct exec_wish w = {.directory = r->directory, .words = r->words, .given = r->given};
	enum fcgipm_refusal no = stops(l) ? FCGIPM_REFUSED_ENDING : permits(c, r->profile);
	struct exec_plan plan = {.spec = NULL};

	if (no == FCGIPM_REFUSED_NOT)
		no = exec_plan_make(l, r->profile, &w, &plan);
	plan.sock = c->source.fd;
	if (no == FCGIPM_REFUSED_NOT)
		no = run_start(l, r, &plan);
	broker_words_free(&plan.words);
	if (no == FCGIPM_REFUSED_NOT)
		return;
	run_free(l, r);
	exec_client_refuse(c, no, NULL);
}

static void go_on(struct launcher *l, struct profile *p)
{
	while (p->first != NULL && (p->running < p->spec.max_running || p->gone || stops(l))) {
		struct run *r = p->first;

		run_unwait(r);
		run_turn(l, r);
	}
	profile_settle(l, p);
}

/* ---- its life ---- */

/* On its way to exec it understands nothing but its end. */
static void run_signal(struct run *r, int signal)
{
	if (signal == SIGKILL || r->state != RUN_RUNS)
		child_kill(&r->child);
	if (r->cgroup != NULL && r->state == RUN_RUNS)
		kill(-r->child.pid, signal);
	else if (signal != SIGKILL && r->state == RUN_RUNS)
		child_signal(&r->child, signal);
}

static void run_limit(struct run *r, void (*fire)(void *ctx), int64_t ms)
{
	struct loop *loop = &r->child.launcher->loop;

	loop_disarm(loop, &r->timer);
	r->timer = (struct loop_timer){.fire = fire, .ctx = r};
	if (ms > 0) /* 0: no limit */
		loop_arm(loop, &r->timer, fp_now_ms() + ms);
}

static void stop_overdue(void *ctx)
{
	run_signal(ctx, SIGKILL);
}

static void run_stop(struct run *r, enum wire_exec_why why)
{
	if (r->ending)
		return;
	r->ending = true;
	r->why = why;
	run_signal(r, SIGTERM);
	run_limit(r, stop_overdue, r->stop_timeout_ms);
}

static void patience_over(void *ctx)
{
	run_stop(ctx, WIRE_EXEC_CANCELLED);
}

static void run_overdue(void *ctx)
{
	struct run *r = ctx;

	r->profile->figures.timeouts++;
	log_warn("exec.timeout", KS("profile", r->profile->spec.name), KI("pid", r->child.pid), KI("ms", r->timeout_ms));
	run_stop(r, WIRE_EXEC_TIMEOUT);
}

static void run_execed(struct child *child)
{
	struct run *r = (struct run *)child;
	int fds[4];
	unsigned nfds = 0;

	r->state = RUN_RUNS;
	r->profile->figures.started++;
	ledger_tell(r->profile);
	if (r->client != NULL)
		exec_client_resume(r->client); /* it has taken what its client gave */
	log_debug("exec.started", KS("profile", r->profile->spec.name), KI("pid", child->pid), KS("program", r->client != NULL ? r->client->program : ""),
		  KI("client", r->client != NULL ? r->client->peer.pid : 0));
	for (unsigned i = 0; i < 3; i++)
		if (r->ours[i] >= 0)
			fds[nfds++] = r->ours[i];
	fds[nfds++] = child->pidfd;
	if (!r->ending && !r->timer.armed)
		run_limit(r, run_overdue, r->timeout_ms);
	if (r->client != NULL && !exec_tell_started(r->client, child->pid, fds, nfds))
		exec_client_close(r->client);
	for (unsigned i = 0; i < 3; i++)
		fp_close(&r->ours[i]);
}

/* A step is said with its object; what the account itself may see there is its own. */
static void tell_failure(struct exec_client *c, const struct priv_report *f)
{
	char text[256];

	int no = f->error & ((1 << BROKER_ERRNO_SHIFT) - 1), error = f->step == PRIV_STEP_CHECK ? f->error >> BROKER_ERRNO_SHIFT : f->error;

	if (f->step == PRIV_STEP_CHECK && error == 0) {
		exec_tell_refused(c, (enum fcgipm_refusal)no, NULL);
		return;
	}
	snprintf(text, sizeof(text), "%s: %s", priv_step_name(f->step), strerror(error));
	exec_tell_refused(c, f->step == PRIV_STEP_TIMEOUT ? FCGIPM_REFUSED_OVERDUE : FCGIPM_REFUSED_STEP, text);
}

static bool tell_end(struct run *r, int status)
{
	struct exec_client *c = r->client;
	const struct priv_report *f = &r->child.failure;
	bool checked = f->step == PRIV_STEP_CHECK && f->error != FCGIPM_REFUSED_MALFORMED;

	if (checked || (f->step > PRIV_STEP_SESSION && f->step != PRIV_STEP_TIMEOUT)) /* behind what takes the descriptors */
		exec_client_resume(c);
	c->run = NULL;
	r->client = NULL;
	if (f->step == PRIV_STEP_NONE && r->state == RUN_RUNS)
		return exec_tell_ended(c, &r->child, status, r->why);
	if (f->step == PRIV_STEP_NONE) /* ended on its way to exec: cancelled */
		return (r->ending ? exec_tell_cancelled(c) : exec_tell_refused(c, FCGIPM_REFUSED_STEP, "ended before exec")) && !c->holds;
	tell_failure(c, f);
	return !c->holds; /* else nobody knows what is left in its socket */
}

static void run_exited(struct child *child, int status)
{
	struct run *r = (struct run *)child;
	struct launcher *l = child->launcher;
	struct profile *p = r->profile;
	struct exec_client *c = r->client;

	if (r->cgroup != NULL && cgroup_return(&l->exec.cgroups, r->cgroup, !r->leaves || r->ending) && !r->leaves)
		log_info("exec.descendants_ended", KS("profile", p->spec.name), KI("pid", child->pid));
	if (r->state == RUN_RUNS && status != 0 && !r->ending)
		p->figures.failed++;
	p->cpu_us += fp_us_of(child->used.ru_utime) + fp_us_of(child->used.ru_stime);
	log_debug("exec.ended", KS("profile", p->spec.name), KI("pid", child->pid), KI("status", status));
	if (c != NULL && !tell_end(r, status))
		exec_client_close(c);
	run_leave(l, r);
	run_free(l, r);
	go_on(l, p);
	if (l->exec.running == 0)
		ending_run_ended(l);
}

/* What is left of it is its cgroup's or its minder's to end. */
static const struct child_ops run_ops = {.what = "run", .execed = run_execed, .exited = run_exited};

void run_cancel(struct run *r, bool at_once)
{
	struct exec_client *c = r->client;
	struct profile *p = r->profile;

	if (r->state != RUN_WAITS) {
		run_stop(r, WIRE_EXEC_CANCELLED);
		if (at_once)
			run_signal(r, SIGKILL);
		return;
	}
	run_unwait(r);
	run_free(c->launcher, r);
	profile_settle(c->launcher, p);
	if (!exec_tell_cancelled(c) || c->holds)
		exec_client_close(c);
}

void run_abandon(struct run *r)
{
	struct launcher *l = r->client->launcher;
	struct profile *p = r->profile;

	r->client->run = NULL;
	r->client = NULL;
	if (r->state != RUN_WAITS) {
		if (!r->outlives)
			run_stop(r, WIRE_EXEC_CANCELLED);
		return;
	}
	run_unwait(r);
	run_free(l, r);
	profile_settle(l, p);
}

void runs_go_on(struct launcher *l)
{
	for (struct profile *p = l->exec.profiles, *next; p != NULL; p = next) {
		next = p->next;
		go_on(l, p);
	}
}

void runs_end(struct launcher *l, bool at_once)
{
	runs_go_on(l);
	for (struct run *r = l->exec.runs; r != NULL; r = r->next) {
		if (at_once)
			run_signal(r, SIGKILL);
		else if (!r->ending)
			run_limit(r, patience_over, r->stop_timeout_ms);
	}
}

int64_t runs_end_ms(const struct launcher *l)
{
	int64_t longest = 0;

	for (const struct run *r = l->exec.runs; r != NULL; r = r->next)
		longest = longest < 0 || r->stop_timeout_ms == 0 ? -1 : longest > 2 * r->stop_timeout_ms ? longest : 2 * r->stop_timeout_ms;
	return longest;
}
