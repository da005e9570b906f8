/* The public client (include/fcgipm/client.h), for frontends: the same functions, with an error struct of its own. */
#include "fcgipm/client/broker.h"
#include "fcgipm/client/control.h"
#include "fcgipm/client/lease.h"

#include <errno.h>
#include <string.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "include/fcgipm/refusal.h"

static int tell(int r, const struct fp_err *e, struct fcgipm_error *err)
{
	_Static_assert(sizeof(e->text) == sizeof(err->text), "one text fits into the other");

	if (r < 0 && err != NULL) {
		err->code = -r;
		err->refusal = 0;
		memcpy(err->text, e->text, sizeof(err->text));
	}
	return r;
}

int fcgipm_open(const char *control_socket, struct fcgipm_client **ret, struct fcgipm_error *err)
{
	struct fp_err e = {.code = 0};

	return tell(client_open(control_socket, ret, &e), &e, err);
}

void fcgipm_close(struct fcgipm_client *client)
{
	client_close(&client);
}

int fcgipm_lease(struct fcgipm_client *client, const char *pool, int timeout_ms, struct fcgipm_lease *ret, struct fcgipm_error *err)
{
	struct fp_err e = {.code = 0};
	int64_t deadline_ms = timeout_ms < 0 ? CLIENT_FOREVER : fp_now_ms() + timeout_ms;

	return tell(lease_take(client, pool, deadline_ms, ret, &e), &e, err);
}

int fcgipm_changed(struct fcgipm_client *client)
{
	return client_changed(client);
}

void fcgipm_release(struct fcgipm_lease *lease)
{
	lease_release(lease);
}

int fcgipm_connect(const struct fcgipm_lease *lease, int timeout_ms, int *ret_fd, struct fcgipm_error *err)
{
	struct fp_err e = {.code = 0};

	return tell(lease_connect(lease, timeout_ms, ret_fd, &e), &e, err);
}

/* ---- the exec broker ---- */

static int64_t deadline_of(int timeout_ms)
{
	return timeout_ms < 0 ? INT64_MAX : fp_now_ms() + timeout_ms;
}

int fcgipm_broker_open(const char *control_socket, int timeout_ms, struct fcgipm_broker **ret, struct fcgipm_error *err)
{
	struct fp_err e = {.code = 0};

	return tell(broker_open(control_socket, deadline_of(timeout_ms), ret, &e), &e, err);
}

void fcgipm_broker_close(struct fcgipm_broker *broker)
{
	broker_close(&broker);
}

int fcgipm_broker_fd(const struct fcgipm_broker *broker)
{
	return broker_fd(broker);
}

int fcgipm_broker_ask(struct fcgipm_broker *broker, const struct fcgipm_program *what, struct fcgipm_error *err)
{
	struct fp_err e = {.code = 0};

	return tell(broker_ask(broker, what, &e), &e, err);
}

int fcgipm_broker_next(struct fcgipm_broker *broker, struct fcgipm_run *run, struct fcgipm_end *end, struct fcgipm_error *err)
{
	struct fp_err e = {.code = 0};

	return tell(broker_next(broker, run, end, &e), &e, err);
}

int fcgipm_broker_cancel(struct fcgipm_broker *broker, int at_once)
{
	return broker_cancel(broker, at_once != 0);
}

int fcgipm_refusal(const struct fcgipm_broker *broker)
{
	return broker_refusal(broker);
}

const char *fcgipm_refusal_name(int refusal)
{
	switch (refusal) {
#define REFUSAL_NAME(NAME, number, name, text)                                                                                                                 \
	case number:                                                                                                                                           \
		return name;
		FCGIPM_REFUSALS(REFUSAL_NAME)
	}
	return "?";
}

/* One that was refused, or did not start in time, is closed, and what may have begun ends with that. */
static int start(struct fcgipm_broker *b, const struct fcgipm_program *what, int64_t deadline_ms, struct fcgipm_run *ret, struct fp_err *err)
{
	struct fcgipm_end end;
	int r = broker_ask(b, what, err);

	if (r == 0)
		r = broker_await(b, deadline_ms, ret, &end, err);
	return r == FCGIPM_NEWS_ENDED ? fp_fail(err, EPROTO, "the exec broker's answer is malformed") : r < 0 ? r : 0;
}

int fcgipm_exec(const char *control_socket, const struct fcgipm_program *what, int timeout_ms, struct fcgipm_run *ret, struct fcgipm_error *err)
{
	struct fp_err e = {.code = 0};
	struct fcgipm_broker *b;
	int64_t deadline_ms = deadline_of(timeout_ms);
	int r = broker_open(control_socket, deadline_ms, &b, &e), refusal = 0;

	if (r == 0) {
		r = start(b, what, deadline_ms, ret, &e);
		refusal = broker_refusal(b);
		if (r < 0)
			broker_close(&b);
	}
	tell(r, &e, err);
	if (r < 0 && err != NULL)
		err->refusal = refusal;
	return r;
}

int fcgipm_wait(struct fcgipm_run *run, int timeout_ms, struct fcgipm_end *ret, struct fcgipm_error *err)
{
	struct fp_err e = {.code = 0};
	struct fcgipm_run other;
	int r = broker_await(run->broker, deadline_of(timeout_ms), &other, ret, &e);

	if (r == FCGIPM_NEWS_STARTED)
		r = fp_fail(&e, EPROTO, "the exec broker's answer is malformed");
	return tell(r < 0 ? r : 0, &e, err);
}

int fcgipm_cancel(struct fcgipm_run *run, int at_once)
{
	return broker_cancel(run->broker, at_once != 0);
}

void fcgipm_run_close(struct fcgipm_run *run)
{
	for (unsigned i = 0; i < 3; i++)
		fp_close(&run->stdio[i]);
	fp_close(&run->pidfd);
	broker_close(&run->broker);
}
