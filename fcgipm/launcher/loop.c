/* The launcher's event loop (launcher process).  One event a turn: a handler may free any source, and none is touched after that. */
#include "fcgipm/launcher/loop.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"

int loop_init(struct loop *l)
{
	*l = (struct loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
	return l->epoll_fd < 0 ? -errno : 0;
}

void loop_fini(struct loop *l)
{
	fp_close(&l->epoll_fd);
}

int loop_watch(struct loop *l, struct loop_source *s)
{
	struct epoll_event e = {.events = s->events, .data.ptr = s};

	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, s->fd, &e) == 0)
		return 0;
	if (errno == EEXIST && epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, s->fd, &e) == 0)
		return 0;
	return -errno;
}

void loop_unwatch(struct loop *l, struct loop_source *s)
{
	if (s->fd >= 0)
		epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
}

void loop_disarm(struct loop *l, struct loop_timer *t)
{
	if (!t->armed)
		return;
	for (struct loop_timer **p = &l->timers; *p != NULL; p = &(*p)->next) {
		if (*p != t)
			continue;
		*p = t->next;
		break;
	}
	t->armed = false;
}

void loop_arm(struct loop *l, struct loop_timer *t, int64_t at_ms)
{
	struct loop_timer **p = &l->timers;

	loop_disarm(l, t);
	t->at_ms = at_ms;
	t->armed = true;
	while (*p != NULL && (*p)->at_ms <= at_ms)
		p = &(*p)->next;
	t->next = *p;
	*p = t;
}

/* How long epoll may sleep; an hour at most so that the sum never overflows an int. */
static int time_to_next(const struct loop *l)
{
	int64_t left;

	if (l->timers == NULL)
		return -1;
	left = l->timers->at_ms - fp_now_ms();
	if (left <= 0)
		return 0;
	return left > 3600000 ? 3600000 : (int)left;
}

static void fire_due(struct loop *l)
{
	int64_t now = fp_now_ms();

	while (l->timers != NULL && l->timers->at_ms <= now && !l->stop) {
		struct loop_timer *t = l->timers;

		loop_disarm(l, t);
		t->fire(t->ctx);
	}
}

int loop_run(struct loop *l)
{
	while (!l->stop) {
		struct epoll_event e;
		int n = epoll_wait(l->epoll_fd, &e, 1, time_to_next(l));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 1) {
			struct loop_source *s = e.data.ptr;

			s->ready(s->ctx, e.events);
		}
		fire_due(l);
	}
	return 0;
}
