/* Connections to the exec broker (runs in httpd's children).  The one that was given back last is taken first: those that a burst has left over stay at the
 * bottom. */
#include "mod_fcgipm/brokers.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	IDLE = 128, /* connections that are kept; a thread needs one at a time, so that there are seldom more than threads */
	LOOKS = 4, /* at connections whose run has not ended, before another one is opened */
	OPEN_MS = 5000,
};

struct idle {
	struct fcgipm_broker *broker;
	bool running;
};

struct brokers {
	pthread_mutex_t mutex;
	int null;
	int count;
	struct idle idle[IDLE];
	char control[];
};

struct brokers *brokers_new(const char *control)
{
	size_t n = strlen(control) + 1;
	struct brokers *b = calloc(1, sizeof(*b) + n);

	if (b == NULL)
		return NULL;
	pthread_mutex_init(&b->mutex, NULL);
	b->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	memcpy(b->control, control, n);
	return b;
}

const char *brokers_control(const struct brokers *b)
{
	return b->control;
}

int brokers_null(const struct brokers *b)
{
	return b->null;
}

static bool pop(struct brokers *b, struct idle *ret)
{
	bool any;

	pthread_mutex_lock(&b->mutex);
	any = b->count > 0;
	if (any)
		*ret = b->idle[--b->count];
	pthread_mutex_unlock(&b->mutex);
	return any;
}

/* Where there is no room the oldest one goes, and with it what runs there still. */
static struct fcgipm_broker *make_room(struct brokers *b)
{
	struct fcgipm_broker *oldest = b->idle[0].broker;

	if (b->count < IDLE)
		return NULL;
	memmove(&b->idle[0], &b->idle[1], (size_t)--b->count * sizeof(b->idle[0]));
	return oldest;
}

static void push(struct brokers *b, struct idle one, bool below)
{
	struct fcgipm_broker *over;

	pthread_mutex_lock(&b->mutex);
	over = make_room(b);
	if (below)
		memmove(&b->idle[1], &b->idle[0], (size_t)b->count * sizeof(b->idle[0]));
	b->idle[below ? 0 : b->count] = one;
	b->count++;
	pthread_mutex_unlock(&b->mutex);
	if (over != NULL)
		fcgipm_broker_close(over);
}

/* 1: nothing runs there any more; 0: it goes on; < 0: the connection is of no use. */
static int settle(struct fcgipm_broker *broker)
{
	struct fcgipm_run run = {.pidfd = -1};
	struct fcgipm_end end;
	int news;

	do
		news = fcgipm_broker_next(broker, &run, &end, NULL);
	while (news == FCGIPM_NEWS_STARTED);
	return news == FCGIPM_NEWS_ENDED ? 1 : news;
}

int brokers_take(struct brokers *b, struct fcgipm_broker **ret, bool *ret_used, struct fcgipm_error *err)
{
	struct idle one;

	for (int i = 0; i < LOOKS && pop(b, &one); i++) {
		int free_now = one.running ? settle(one.broker) : 1;

		if (free_now > 0) {
			*ret = one.broker;
			*ret_used = true;
			return 0;
		}
		if (free_now == 0)
			push(b, one, true);
		else
			fcgipm_broker_close(one.broker);
	}
	*ret_used = false;
	return fcgipm_broker_open(b->control, OPEN_MS, ret, err);
}

void brokers_give(struct brokers *b, struct fcgipm_broker *broker, bool running)
{
	push(b, (struct idle){broker, running}, false);
}
