/* Workers (launcher process): start and bury. */
#include "fcgipm/launcher/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/limits.h"
#include "fcgipm/launcher/link.h"
#include "fcgipm/launcher/template.h"
#include "fcgipm/launcher/watcher.h"
#include "include/fcgipm/board.h"

enum { SPAWN_RATE = 1000 /* a second */, SPAWN_BURST = 256 /* beside max_workers */ };

struct worker *worker_find(struct launcher *l, uint64_t id)
{
	uint32_t slot = (uint32_t)id;
	struct worker *w = slot < l->workers.slots ? l->workers.slot[slot] : NULL;

	return w != NULL && w->id == id ? w : NULL;
}

static int table_enter(struct worker_table *t, struct worker *w)
{
	uint32_t slot = 0;

	while (slot < t->slots && t->slot[slot] != NULL)
		slot++;
	if (slot == t->slots) {
		uint32_t more = t->slots == 0 ? 64 : t->slots * 2;
		struct worker **grown = reallocarray(t->slot, more, sizeof(struct worker *));

		if (grown == NULL)
			return -ENOMEM;
		memset(grown + t->slots, 0, (more - t->slots) * sizeof(struct worker *));
		t->slot = grown;
		t->slots = more;
	}
	t->slot[slot] = w;
	t->count++;
	w->id = (uint64_t)++t->serial << 32 | slot;
	return 0;
}

void workers_each(struct launcher *l, void (*each)(struct launcher *l, struct worker *w, void *ctx), void *ctx)
{
	for (uint32_t i = 0; i < l->workers.slots; i++)
		if (l->workers.slot[i] != NULL)
			each(l, l->workers.slot[i], ctx);
}

static void worker_free(struct launcher *l, struct worker *w)
{
	template_close(l, w);
	loop_unwatch(&l->loop, &w->output);
	fp_close(&w->output.fd);
	listener_unref(l, w->listener);
	free(w);
}

/* ---- bounds ---- */

struct kinship {
	const struct worker *like;
	bool differs;
};

static void compare_kin(struct launcher *l, struct worker *w, void *ctx)
{
	struct kinship *k = ctx;

	(void)l;
	if (w->pool == k->like->pool && (w->generation != k->like->generation || w->tag != k->like->tag))
		k->differs = true;
}

/* Any template may turn out to be a worker, so none is booted where there are more than ever may be; where workers.max was lowered a moment ago, as it was before. */
static bool pool_has_room_for_template(const struct worker *t, uint32_t max)
{
	struct pool *p = t->pool;

	if (max > p->most_workers)
		p->most_workers = max;
	return p->templates < WIRE_TEMPLATES_MAX && p->workers <= 2 * p->most_workers;
}

/* Twice max while one generation (or incarnation) replaces another, else max and the one that takes an old one's place. */
static bool pool_has_room(struct launcher *l, const struct worker *w, uint32_t max)
{
	struct kinship k = {.like = w};

	if (w->pool->workers <= max)
		return true;
	workers_each(l, compare_kin, &k);
	return k.differs && w->pool->workers < 2 * max;
}

static bool take_spawn_token(struct launcher *l)
{
	int64_t now = fp_now_ms(), most = (int64_t)l->max_workers + SPAWN_BURST;

	l->spawn_tokens += (now - l->spawn_filled_ms) * SPAWN_RATE / 1000;
	l->spawn_filled_ms = now;
	if (l->spawn_tokens > most)
		l->spawn_tokens = most;
	if (l->spawn_tokens <= 0)
		return false;
	l->spawn_tokens--;
	return true;
}

static int check_bounds(struct launcher *l, const struct worker *w, const struct pool_entry *e, struct fp_err *err)
{
	if (e->listener == NULL)
		return fp_fail(err, ENOTCONN, "pool %s is not bound", w->pool->name);
	if (w->slot >= BOARD_SLOTS)
		return fp_fail(err, EAGAIN, "slot %u", w->slot);
	if (w->how == WIRE_START_TEMPLATE && !pool_has_room_for_template(w, e->max_workers))
		return fp_fail(err, EAGAIN, "templates of the pool: %u, workers: %u of max %u", w->pool->templates, w->pool->workers, w->pool->most_workers);
	if (l->workers.count - l->templates >= 2 * l->max_workers)
		return fp_fail(err, EAGAIN, "total of workers: %u of twice max_workers %u", l->workers.count - l->templates, l->max_workers);
	if (w->how != WIRE_START_TEMPLATE && !pool_has_room(l, w, e->max_workers))
		return fp_fail(err, EAGAIN, "workers of the pool: %u of max %u", w->pool->workers, e->max_workers);
	if (!take_spawn_token(l))
		return fp_fail(err, EAGAIN, "spawn rate: more than %d a second", SPAWN_RATE);
	return 0;
}

/* ---- start ---- */

static void worker_execed(struct child *c)
{
	struct worker *w = (struct worker *)c;
	struct wire_worker_id m = {.worker = w->id};

	if (w->stage == WIRE_STAGE_STARTING)
		w->stage = WIRE_STAGE_EXECED;
	link_started(w->child.launcher, &m);
}

/* The object of a step that failed, for the message. */
static const char *detail_of(const struct spec_pool *s, uint32_t step)
{
	switch (step) {
	case PRIV_STEP_CHROOT:
		return s->chroot;
	case PRIV_STEP_DIRECTORY:
		return s->directory;
	case PRIV_STEP_ENVIRONMENT:
		return s->environment_file;
	case PRIV_STEP_EXEC:
		return s->argv[0];
	default:
		return "";
	}
}

static void tell_exit(struct launcher *l, const struct worker *w, int status)
{
	const struct priv_report *f = &w->child.failure;
	struct pool_entry *e = pool_entry_of(w->pool, w->generation);
	struct spec_pool spec = {0};
	bool decoded = f->step != PRIV_STEP_NONE && e != NULL && spec_pool_decode(e->spec, &spec, NULL) == 0;
	struct wire_exited m = {
		.worker = w->id,
		.status = status,
		.error = f->error,
		.strays = w->child.strays,
		.step = f->step == PRIV_STEP_NONE ? "" : priv_step_name(f->step),
		.detail = decoded ? detail_of(&spec, f->step) : "",
	};

	link_exited(l, &m);
	if (decoded)
		spec_pool_free(&spec);
}

static void worker_count(struct launcher *l, struct worker *w, int by)
{
	bool template_ = w->how == WIRE_START_TEMPLATE;

	*(template_ ? &w->pool->templates : &w->pool->workers) += (uint32_t)by;
	l->templates += template_ ? (uint32_t)by : 0;
}

static void worker_leave(struct launcher *l, struct worker *w)
{
	l->workers.slot[(uint32_t)w->id] = NULL;
	l->workers.count--;
}

static void worker_exited(struct child *c, int status)
{
	struct worker *w = (struct worker *)c;
	struct launcher *l = c->launcher;

	template_ended(l, w); /* those that have come from it, or were to, are told of before it */
	worker_leave(l, w);
	worker_count(l, w, -1);
	watcher_end(w);
	tell_exit(l, w, status);
	worker_free(l, w);
}

void worker_is_no_template(struct launcher *l, struct worker *w)
{
	worker_count(l, w, -1);
	w->how = WIRE_START_EXEC;
	worker_count(l, w, 1);
}
static const struct child_ops worker_ops = {.what = "worker", .session = true, .execed = worker_execed, .exited = worker_exited};

/* The pipe of its output, or /dev/null for a pool whose output goes nowhere. */
static int open_output(struct launcher *l, struct worker *w, uint8_t output, int *ret_write)
{
	int p[2];

	if (output == SPEC_OUTPUT_NULL) {
		*ret_write = l->null_fd;
		return 0;
	}
	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	fp_set_nonblock(p[0], true);
	w->output.fd = p[0];
	*ret_write = p[1];
	return 0;
}

static void jail_of(const struct launcher *l, const struct spec_pool *s, int listener, int output, struct priv_jail *j)
{
	*j = (struct priv_jail){
		.stdio = {listener, output, output},
		.keep_as = BOARD_FD,
		.new_session = true,
		.change_account = !l->ordinary,
		.uid = s->uid,
		.gid = s->gid,
		.groups = s->groups,
		.group_count = s->group_count,
		.chroot = s->chroot,
		.directory = s->directory,
		.environment_file = s->environment_file,
		.umask = s->umask,
		.nice = s->nice != 0 ? s->nice : l->nice,
		.capabilities = s->capabilities,
		.no_new_privs = s->no_new_privileges,
		.exec_fd = -1,
		.path = s->argv[0],
		.argv = s->argv,
		.envp = s->envp,
	};
	limits_add(s->limits, j);
}

/* The library, by descriptor, so that neither a chroot nor a mode on the way to it matters; the program finds out itself whether it can reach it. */
static void preload_of(const struct launcher *l, const struct worker *w, int hook, char (*variable)[64], struct priv_jail *j)
{
	const struct board_fds *b = &w->pool->board;
	struct stat output = {0};

	if (l->library_fd < 0 || b->memory < 0)
		return;
	(void)fstat(j->stdio[STDOUT_FILENO], &output);
	snprintf(*variable, sizeof(*variable), BOARD_VARIABLE "=%u,%d,%llu", w->slot, w->how == WIRE_START_TEMPLATE ? BOARD_ROLE_TEMPLATE : BOARD_ROLE_WORKER,
		 (unsigned long long)BOARD_INODE(output));
	j->preload = (struct priv_preload){.needs = "/proc/self/fd", .library = BOARD_LIBRARY_PATH, .variable = *variable};
	j->keep[0] = b->memory;
	j->keep[1] = b->bell;
	j->keep[2] = hook;
	j->keep[3] = l->library_fd;
	j->keep_count = 4;
}

static void take_spec(struct worker *w, const struct spec_pool *s)
{
	w->uid = s->uid;
	w->gid = s->gid;
	w->stop_signal = s->stop_signal;
	w->busy_signal = s->busy_signal;
}

static int worker_exec(struct launcher *l, struct worker *w, const struct spec_pool *s, struct fp_err *err)
{
	struct priv_jail jail;
	char variable[64];
	int hook = -1;
	int output, r = open_output(l, w, s->output, &output);

	if (r < 0)
		return fp_fail(err, -r, "cannot make a pipe: %m");
	jail_of(l, s, w->listener->fd, output, &jail);
	if (w->how == WIRE_START_TEMPLATE)
		r = template_open(w, &hook);
	if (r == 0) {
		preload_of(l, w, hook, &variable, &jail);
		r = child_exec(l, &w->child, &worker_ops, &jail);
	}
	fp_close(&hook);
	if (output != l->null_fd)
		fp_close(&output);
	if (r < 0)
		return fp_fail(err, -r, "cannot be started: %m");
	if (w->how == WIRE_START_TEMPLATE)
		template_watch(l, w);
	take_spec(w, s);
	return 0;
}

/* How one comes to be: by the command, or by a template. */
struct start {
	const struct wire_spawn *m;
	struct worker *template_; /* NULL: by the command */
	uint32_t seq;
};

static int worker_order(struct launcher *l, struct worker *w, const struct spec_pool *s, const struct start *how, struct fp_err *err)
{
	struct worker *t = how->template_;
	int output, r = open_output(l, w, s->output, &output);

	if (r == 0)
		r = template_order(l, t, w, output, how->seq);
	if (r == 0 || r == -EAGAIN || r == -ESRCH) {
		if (output != l->null_fd)
			fp_close(&output);
	}
	if (r < 0)
		return fp_fail(err, -r, "the template cannot be asked");
	take_spec(w, s);
	w->uid = t->uid; /* whatever generation the template is of */
	w->gid = t->gid;
	return 0;
}

static void output_ready(void *ctx, uint32_t events);

static struct worker *worker_new(struct pool *p, const struct pool_entry *e, const struct wire_spawn *m)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->pool = p;
	w->generation = m->generation;
	w->tag = m->tag;
	w->how = (enum wire_start)m->how;
	w->slot = m->slot;
	w->hook.fd = -1;
	w->child.pidfd = w->child.report.fd = -1;
	w->child.launcher = NULL;
	w->spawned_ms = fp_now_ms();
	w->stage = WIRE_STAGE_STARTING;
	w->output = (struct loop_source){.fd = -1, .events = EPOLLIN, .ready = output_ready, .ctx = w};
	if (e->listener != NULL)
		w->listener = listener_ref(e->listener);
	return w;
}

static int start_one(struct launcher *l, struct worker *w, const struct pool_entry *e, const struct start *how, struct fp_err *err)
{
	struct spec_pool spec = {0};
	int r = spec_pool_decode(e->spec, &spec, err);

	if (r == 0)
		r = table_enter(&l->workers, w);
	if (r == 0) {
		w->child.launcher = l;
		board_clear(&w->pool->board, w->slot);
		r = how->template_ != NULL ? worker_order(l, w, &spec, how, err) : worker_exec(l, w, &spec, err);
		if (r < 0)
			worker_leave(l, w);
	}
	spec_pool_free(&spec);
	return r;
}

static int worker_make(struct launcher *l, struct pool *p, const struct start *how, struct worker **ret, struct fp_err *err)
{
	struct pool_entry *e = pool_entry_of(p, how->m->generation);
	struct worker *w = e != NULL ? worker_new(p, e, how->m) : NULL;
	int r;

	if (e == NULL)
		return fp_fail(err, ENOENT, "pool %s has no spec of generation %u", p->name, how->m->generation);
	if (w == NULL)
		return fp_fail(err, ENOMEM, "%m");
	r = check_bounds(l, w, e, err);
	if (r == 0 && board_make(l, p) < 0)
		r = fp_fail(err, EAGAIN, "no scoreboard: %m");
	if (r == 0)
		r = start_one(l, w, e, how, err);
	if (r < 0) {
		worker_free(l, w);
		return r;
	}
	worker_count(l, w, 1);
	*ret = w;
	return 0;
}

int worker_spawn(struct launcher *l, struct pool *p, const struct wire_spawn *m, struct worker **ret, struct fp_err *err)
{
	return worker_make(l, p, &(const struct start){.m = m}, ret, err);
}

int worker_fork_from(struct launcher *l, struct pool *p, const struct wire_spawn *m, uint32_t seq, struct fp_err *err)
{
	struct worker *t = worker_find(l, m->template_), *w;

	if (t == NULL || t->pool != p || !t->hooked || t->stage >= WIRE_STAGE_SIGNALLED)
		return fp_fail(err, ESRCH, "no such template");
	return worker_make(l, p, &(const struct start){.m = m, .template_ = t, .seq = seq}, &w, err);
}

void worker_adopt(struct launcher *l, struct worker *w, pid_t pid, int pidfd)
{
	bool unwanted = w->stage >= WIRE_STAGE_SIGNALLED;

	child_adopt(l, &w->child, &worker_ops, pid, pidfd);
	w->stage = WIRE_STAGE_EXECED;
	if (unwanted)
		worker_signal(l, w, SIGKILL);
}

void worker_forget(struct launcher *l, struct worker *w)
{
	worker_leave(l, w);
	worker_count(l, w, -1);
	worker_free(l, w);
}

/* ---- output while no manager reads it ---- */

static void output_ready(void *ctx, uint32_t events)
{
	struct worker *w = ctx;
	struct launcher *l = w->child.launcher;
	ssize_t n = splice(w->output.fd, NULL, l->null_fd, NULL, 1 << 16, SPLICE_F_NONBLOCK);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || ((events & EPOLLHUP) != 0 && n <= 0))
		loop_unwatch(&l->loop, &w->output);
}

static void drain_each(struct launcher *l, struct worker *w, void *ctx)
{
	if (w->output.fd < 0)
		return;
	if (*(const bool *)ctx)
		loop_watch(&l->loop, &w->output);
	else
		loop_unwatch(&l->loop, &w->output);
}

void workers_drain(struct launcher *l, bool on)
{
	workers_each(l, drain_each, &on);
}
