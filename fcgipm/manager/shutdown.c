/* Ending (manager process): the workers go as they do at any other time, without losing a request. */
#include "fcgipm/manager/shutdown.h"

#include <unistd.h>

#include "fcgipm/base/log.h"
#include "fcgipm/manager/listen.h"
#include "fcgipm/manager/manager.h"
#include "fcgipm/manager/removal.h"
#include "fcgipm/manager/steer.h"
#include "fcgipm/manager/transition.h"

void shutdown_begin(struct manager *m, bool at_once)
{
	enum manager_quit how = at_once ? QUIT_NOW : QUIT_DRAIN;

	if (how <= m->quit)
		return;
	m->quit = how;
	log_info("manager.stopping", KS("how", at_once ? "stop" : "drain"), KI("workers", m->worker_count));
	steer_all(m);
	event_active(&m->steer, EV_TIMEOUT, 0);
}

/* Nobody who connects from now on could be served, so the names go first; who waits already is served when there is time to drain. */
void shutdown_step(struct pool *p)
{
	transition_drop(p);
	if (p->listener != NULL)
		listen_withdraw(p, p->listener);
	if (p->m->quit == QUIT_NOW)
		p->drained = true;
	else
		queue_ran_dry(p);
}

void shutdown_review(struct manager *m)
{
	if (m->quit == QUIT_NOT || m->ended || m->worker_count > 0)
		return;
	for (struct pool *p = m->first_pool; p != NULL; p = p->next)
		if (!p->drained)
			return;
	m->ended = true;
	log_info("manager.stopped", KI("pid", getpid()));
	ops_stopped(m);
	link_end(&m->link, 2);
}
