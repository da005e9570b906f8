/* Listeners (manager process).  The manager holds a copy of each for wake-ups and TCP_INFO, and accepts from none. */
#include "fcgipm/manager/listen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/manager/lease.h"
#include "fcgipm/manager/manager.h"
#include "fcgipm/manager/transition.h"

enum { BIND_BUSY_MS = 50 };

struct listener *listener_new(struct manager *m, struct wire_dgram *d, uint32_t generation, const char *address)
{
	struct listener *li = calloc(1, sizeof(*li));

	if (li == NULL)
		return NULL;
	li->generation = generation;
	li->fd = wire_take_fd(d, 0);
	li->door = wire_take_fd(d, 1);
	li->address = strdup(address);
	if (li->fd < 0 || li->address == NULL || probe_listener_init(m->diag_fd, li->fd, &li->id) < 0) {
		listener_free(li);
		return NULL;
	}
	return li;
}

bool listener_same(const struct listener *a, const struct listener *b)
{
	struct stat sa, sb;

	return a != NULL && b != NULL && fstat(a->fd, &sa) == 0 && fstat(b->fd, &sb) == 0 && sa.st_ino == sb.st_ino && sa.st_dev == sb.st_dev;
}

static void listen_failed(struct pool *p, const struct wire_answer *a)
{
	struct backoff_rule rule = pool_backoff_rule(p);

	if (p->m->quit != QUIT_NOT)
		return; /* asked for before the end began: nothing new is bound now */
	if (a->code == EBUSY) { /* asked for by the manager before us */
		p->held_until_ms = fp_now_ms() + BIND_BUSY_MS;
		pool_touch_in(p, BIND_BUSY_MS);
		return;
	}
	p->bind_failed = true;
	if (p->transition.stage == TRANSITION_BIND) {
		transition_fail(p, a->text);
		return;
	}
	pool_set_error(p, "%s", a->text);
	log_error("listener.failed", KS("pool", p->name), KS("error", a->text));
	backoff_crash(&p->backoff, &rule, fp_now_ms());
	ops_fail(p, a->text);
	reload_pool_failed(p, a->text);
	pool_touch(p);
}

/* The first listener of a pool, or one in place of what was shut down. */
static void listen_adopt(struct pool *p, struct listener *li)
{
	if (listener_same(p->listener, li)) {
		listener_free(li);
		return;
	}
	lease_changed(p->m);
	if (p->listener != NULL) {
		log_warn("listener.renewed", KS("pool", p->name), KS("address", li->address));
		pool_set_error(p, "somebody had shut down the listener %s; it was bound anew", li->address);
		queue_unwatch(p);
		listener_free(p->listener);
		p->listener = li;
		transition_restart(p, "listener");
		return;
	}
	log_info("listener.bound", KS("pool", p->name), KS("address", li->address));
	p->listener = li;
	output_file_want(p, false);
}

static void listen_answered(void *ctx, const struct wire_answer *a, struct wire_dgram *d)
{
	struct pool *p = ctx;
	struct listener *li;

	p->binding = false;
	pool_touch(p);
	if (p->transition.bind_again) { /* a newer spec has come meanwhile */
		p->transition.bind_again = false;
		listen_bind(p, false);
		return;
	}
	li = a->code == 0 ? listener_new(p->m, d, p->bind_generation, a->text) : NULL;
	if (li == NULL) {
		listen_failed(p, a->code != 0 ? a : &(struct wire_answer){.code = EIO, .text = "the listener cannot be used"});
		return;
	}
	p->bind_failed = false;
	if (p->transition.stage == TRANSITION_BIND)
		transition_bound(p, li);
	else
		listen_adopt(p, li);
}

void listen_bind(struct pool *p, bool renew)
{
	struct pool_spec *s = p->transition.stage == TRANSITION_BIND ? p->candidate : p->current;
	struct wire_bind m = {.pool = p->name, .renew = renew};

	if (p->binding) {
		p->transition.bind_again = true;
		return;
	}
	p->binding = true;
	p->bind_generation = m.generation = s->generation;
	link_bind(&p->m->link, &m, listen_answered, p);
}

bool listener_check(struct pool *p)
{
	if (p->listener == NULL || p->binding || p->removing || p->m->quit != QUIT_NOT || !listener_is_shut(p->listener))
		return false;
	if (p->transition.stage != TRANSITION_BIND)
		listen_bind(p, true);
	return true;
}

void listen_withdraw(struct pool *p, struct listener *li)
{
	struct wire_unbind m = {.pool = p->name, .generation = li->generation, .how = 0};

	if (li->withdrawn)
		return;
	li->withdrawn = true;
	link_unbind(&p->m->link, &m, NULL, NULL);
}
