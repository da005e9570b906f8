/* The public client (include/fcgipm/client.h), for frontends: the same functions, with an error struct of its own. */
#include "fcgipm/client/control.h"
#include "fcgipm/client/lease.h"

#include <string.h>

#include "fcgipm/base/clock.h"

static int tell(int r, const struct fp_err *e, struct fcgipm_error *err)
{
	_Static_assert(sizeof(e->text) == sizeof(err->text), "one text fits into the other");

	if (r < 0 && err != NULL) {
		err->code = -r;
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
