/* The launcher's event loop: descriptors by epoll, deadlines by a sorted list.  Small on purpose: the launcher links libc and libcap alone. */
#ifndef FCGIPM_LAUNCHER_LOOP_H
#define FCGIPM_LAUNCHER_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* Embedded in whatever waits; the descriptor stays its owner's. */
struct loop_source {
	int fd; /* -1: not watched */
	uint32_t events; /* EPOLLIN, ... */
	void (*ready)(void *ctx, uint32_t events);
	void *ctx;
};

struct loop_timer {
	int64_t at_ms; /* monotonic */
	bool armed;
	void (*fire)(void *ctx);
	void *ctx;
	struct loop_timer *next;
};

struct loop {
	int epoll_fd;
	struct loop_timer *timers; /* in order of time */
	bool stop;
};

int loop_init(struct loop *l);
void loop_fini(struct loop *l);
/* Watches s->fd for s->events, or changes what is watched.  0 or -errno. */
int loop_watch(struct loop *l, struct loop_source *s);
void loop_unwatch(struct loop *l, struct loop_source *s);
/* Arms, or arms anew. */
void loop_arm(struct loop *l, struct loop_timer *t, int64_t at_ms);
void loop_disarm(struct loop *l, struct loop_timer *t);
/* Handles one event at a time until loop->stop: a handler may free any other source. */
int loop_run(struct loop *l);

#endif
