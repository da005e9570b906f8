/* Waiting in the thread (runs in httpd): for the application, for the client's body, for the client's leaving, for time to pass. */
#include "mod_fcgipm/wait.h"

#include <http_core.h>
#include <limits.h>
#include <poll.h>

#include "fcgipm/base/clock.h"
#include "mod_fcgipm/http_client.h"
#include "mod_fcgipm/config.h"
#include "mod_fcgipm/park.h"
#include "mod_fcgipm/talk.h"

enum {
	SHORT_MOST_MS = 25, /* that a request waits in its thread before it may be parked, which costs more than a short wait */
	BLIND_MS = 20, /* between looks at a client that has no socket of its own */
	BLIND_BODY_MS = 2, /* ... and is to send something */
};

static int left_ms(const struct talk_wants *w, int client, int64_t until_ms)
{
	int64_t end = w->deadline_ms < until_ms ? w->deadline_ms : until_ms, left = end - fp_now_ms();

	if (left < 0)
		left = 0;
	if (client >= 0 && left > HTTP_CLIENT_LOOK_MS)
		left = HTTP_CLIENT_LOOK_MS;
	if (client < 0 && left > (w->body ? BLIND_BODY_MS : BLIND_MS))
		left = w->body ? BLIND_BODY_MS : BLIND_MS;
	return left > INT_MAX ? INT_MAX : (int)left;
}

/* Ends when there is something to do; true: the application may have said something. */
static bool wait_once(struct talk *t, int64_t until_ms)
{
	int client = http_client_fd(t->r);
	struct talk_wants w = talk_wants(t);
	bool watched = w.body || until_ms == INT64_MAX; /* a client that leaves in a short wait is seen behind it */
	struct pollfd p[2] = {{.fd = w.fd, .events = w.events}, {.fd = watched ? client : -1, .events = (short)(w.body ? POLLIN : POLLRDHUP)}};
	int n = poll(p, 2, left_ms(&w, client, until_ms));

	bool heard;

	if (n < 0)
		return false; /* interrupted */
	heard = (p[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
	if (http_client_has_left(t->r, p[1].revents, w.body))
		talk_abort(t);
	else if (!heard && fp_now_ms() >= w.deadline_ms) /* what it has said meanwhile counts, however long the client kept us from listening */
		talk_tick(t);
	return heard;
}

bool wait_here(struct talk *t, int64_t until_ms)
{
	bool readable = false;

	while (!talk_step(t, readable)) {
		if (until_ms != INT64_MAX && (t->r->connection->data_in_output_filters || fp_now_ms() >= until_ms))
			return false; /* more would be written only as fast as the client reads */
		readable = wait_once(t, until_ms);
	}
	return true;
}

void wait_in_thread(struct talk *t)
{
	int max = config_of(t->r)->max_waiting;
	struct lease *lease = lease_hold(t->lease);
	int32_t waiting = __atomic_add_fetch(&lease->waiting, 1, __ATOMIC_RELAXED);

	if (max > 0 && waiting > max)
		talk_fail(t, FAILURE_WAITING, NULL);
	wait_here(t, INT64_MAX);
	__atomic_sub_fetch(&lease->waiting, 1, __ATOMIC_RELAXED);
	lease_put(lease);
}

/* A pool that answers fast is waited for in the thread; one that did not answer in time is given half the time from then on, so that many requests for it do not
 * hold many threads.  What several threads write at once is a number all the same. */
static bool wait_short(struct talk *t)
{
	struct lease *lease = lease_hold(t->lease);
	int32_t patience = __atomic_load_n(&lease->patience_ms, __ATOMIC_RELAXED);
	bool over = wait_here(t, fp_now_ms() + patience), more = over && patience < SHORT_MOST_MS, less = !over && patience > 1;

	if (more || less)
		__atomic_store_n(&lease->patience_ms, more ? patience + 1 : patience / 2, __ATOMIC_RELAXED);
	lease_put(lease);
	return over;
}

int wait_for(struct talk *t)
{
	int status;

	if (wait_short(t))
		return talk_end(t);
	if (park_request(t, &status))
		return status;
	wait_in_thread(t);
	return talk_end(t);
}
