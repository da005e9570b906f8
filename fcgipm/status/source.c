/* The manager's numbers (status page). */
#include "fcgipm/status/source.h"

#include <errno.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/client/snapshot.h"

enum { FRESH_MS = 200, ANSWER_MS = 5000, HANGS_MS = 1000 };

static int ask(struct source *src, int64_t deadline_ms, int *ret_fd, struct fp_err *err)
{
	const struct client_wait wait = {.deadline_ms = deadline_ms};
	struct client_answer answer = {.fd = -1};
	int r = src->client == NULL ? client_open(src->path, &src->client, err) : 0;

	if (r < 0)
		return r;
	wire_put_c_pool(client_begin(src->client, WIRE_C_STATUS), &(const struct wire_c_pool){.pool = ""});
	r = client_call(src->client, &wait, &answer, err);
	if (r == 0 && answer.code == FCGIPM_EXIT_DONE && answer.fd >= 0) {
		*ret_fd = answer.fd;
		return 0;
	}
	fp_close(&answer.fd);
	if (r == 0)
		r = fp_fail(err, EACCES, "%s", answer.text);
	client_close(&src->client);
	return r;
}

int source_read(struct source *src, struct fp_err *err)
{
	bool kept = src->client != NULL;
	int64_t now = fp_now_ms();
	struct snapshot s;
	fp_autoclose int fd = -1;
	int r;

	if (src->any && now - src->view.now_ms < FRESH_MS)
		return 0;
	if (now < src->hangs_until_ms)
		return fp_fail(err, ETIMEDOUT, "the manager did not answer in time");
	r = ask(src, now + ANSWER_MS, &fd, err);
	if (r == -ECONNRESET && kept) /* by another manager meanwhile */
		r = ask(src, now + ANSWER_MS, &fd, err);
	if (r == -ETIMEDOUT) /* the requests that queued up behind this one are not to wait as long, one after the other */
		src->hangs_until_ms = fp_now_ms() + HANGS_MS;
	if (r == 0)
		r = snapshot_open(fd, &s, err);
	if (r == 0 && view_take(&src->view, &s, fp_now_ms()) < 0)
		r = fp_fail(err, ENOMEM, "out of memory");
	src->any = r == 0;
	return r;
}

void source_end(struct source *src)
{
	view_fini(&src->view);
	client_close(&src->client);
}
