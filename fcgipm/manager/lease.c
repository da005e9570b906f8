/* Leases (manager process). */
#include "fcgipm/manager/lease.h"

#include <unistd.h>

#include "fcgipm/manager/manager.h"
#include "fcgipm/wire/control.h"
#include "include/fcgipm/protocol.h"

static bool may_hold(const struct manager *m, const struct probe_peer *who)
{
	return m->settings != NULL && acl_names(&m->settings->holders_acl, who);
}

bool lease_permitted(const struct pool *p, const struct probe_peer *who)
{
	const struct manager *m = p->m;

	if (m->settings == NULL)
		return false;
	return acl_names(&pool_wanted(p)->set.frontends_acl, who) || acl_names(&m->settings->operators_acl, who) || may_hold(m, who) ||
	       (m->ordinary && who->uid == geteuid());
}

/* A manager that starts or ends knows nothing that holds: what a frontend has from before is better. */
void lease_refuse(const struct manager *m, struct client *c, uint32_t seq, const char *why)
{
	if (m->quit != QUIT_NOT)
		control_done(c, seq, FCGIPM_EXIT_NO_MANAGER, "the manager is ending");
	else if (!m->ready_said)
		control_done(c, seq, FCGIPM_EXIT_NO_MANAGER, "the manager is starting");
	else
		control_done(c, seq, FCGIPM_EXIT_NO, why);
}

void lease_give(struct pool *p, struct client *c, uint32_t seq)
{
	const struct pool_settings *s = &pool_wanted(p)->set;
	const struct listener *li = p->listener;
	bool hold = may_hold(p->m, &c->peer), door = s->socket_private && li != NULL && li->door >= 0;
	struct wire_dgram d;
	struct wire_wr w;
	int fds[2];
	unsigned nfds = 0;

	if (li == NULL || p->removing || p->m->quit != QUIT_NOT) {
		lease_refuse(p->m, c, seq, li == NULL ? "the pool does not listen" : "the pool goes");
		return;
	}
	if (door)
		fds[nfds++] = li->door;
	if (hold)
		fds[nfds++] = li->fd;
	wire_begin(&d, &w, WIRE_C_LEASED, seq);
	wire_put_c_leased(&w, &(struct wire_c_leased){
				      .pool = p->name,
				      .kind = door,
				      .address = li->address,
				      .queue_timeout_ms = s->queue_timeout,
				      .queue_limit = s->queue_limit,
				      .concurrency = s->workers_concurrency,
				      .chroot = s->chroot,
			      });
	control_send(c, &d, &w, fds, nfds);
	control_done(c, seq, 0, "");
}

void lease_changed(struct manager *m)
{
	m->leases_changed = true;
	event_active(&m->steer, EV_TIMEOUT, 0);
}

void lease_tell(struct manager *m)
{
	if (!m->leases_changed)
		return;
	m->leases_changed = false;
	control_tell_lessees(m);
}
