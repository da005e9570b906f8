/* Snapshots, one after the other (command line).  It outlives managers, and never waits for one. */
#include "fcgipm/cli/feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/cli/ask.h"

enum { AGAIN_MS = 500, SILENT_MS = 3000, CHANGE_SHOWN_MS = 10000, SHARE = 10, PAUSE_MOST_MS = 5000 };

static void lose(struct feed *f, int64_t now_ms)
{
	client_close(&f->client);
	f->asked = false;
	f->due_ms = now_ms + AGAIN_MS;
}

int feed_open(struct feed *f, const struct cli *cli, const char *pool, int64_t interval_ms)
{
	struct ask first;

	*f = (struct feed){.pool = pool, .interval_ms = interval_ms};
	f->path = ask_path(cli, f->path_buf, sizeof(f->path_buf));
	f->client = ask_open_at(&first, cli, f->path);
	return f->client == NULL ? first.code : 0;
}

void feed_close(struct feed *f)
{
	client_close(&f->client);
}

int feed_fd(const struct feed *f)
{
	return f->client != NULL && f->asked ? client_fd(f->client) : -1;
}

int feed_wait_ms(const struct feed *f, int64_t now_ms)
{
	int64_t at = f->asked ? f->asked_ms + SILENT_MS : f->due_ms;

	if (f->asked && at <= now_ms)
		return -1; /* it was said already that nobody answers */
	return at <= now_ms ? 0 : at - now_ms > INT_MAX ? INT_MAX : (int)(at - now_ms);
}

static void ask(struct feed *f, int64_t now_ms)
{
	bool fresh = f->client == NULL;
	struct fp_err err = {.code = 0};

	if (fresh && client_open(f->path, &f->client, &err) < 0) {
		f->trouble = err;
		f->due_ms = now_ms + AGAIN_MS;
		return;
	}
	wire_put_c_pool(client_begin(f->client, WIRE_C_STATUS), &(const struct wire_c_pool){.pool = f->pool});
	if (client_ask(f->client, &err) < 0) {
		f->trouble = err;
		lose(f, now_ms);
		if (!fresh)
			f->due_ms = now_ms; /* the manager of that connection is gone; its successor may be there */
		return;
	}
	f->asked = true;
	f->asked_ms = now_ms;
}

/* Says once that another manager answers than the last time. */
static void note_change(struct feed *f, const struct wire_status_manager *m, int64_t now_ms)
{
	if (f->manager_pid != 0 && f->launcher_pid != m->launcher_pid)
		snprintf(f->change, sizeof(f->change), "fcgipm was started anew: process %" PRId32, m->launcher_pid);
	else if (f->manager_pid != 0 && f->manager_pid != m->pid)
		snprintf(f->change, sizeof(f->change), "manager %" PRId32 " has taken over from %" PRId32, m->pid, f->manager_pid);
	else
		return;
	f->changed_ms = now_ms;
}

/* Many pools take the manager a while; who watches it takes at most a tenth of its time. */
static int64_t next_due(const struct feed *f, int64_t now_ms)
{
	int64_t pause = (now_ms - f->asked_ms) * (SHARE - 1), due = f->asked_ms + f->interval_ms;

	if (pause > PAUSE_MOST_MS)
		pause = PAUSE_MOST_MS;
	return due > now_ms + pause ? due : now_ms + pause;
}

static enum feed_event take_answer(struct feed *f, int64_t now_ms, int fd, struct snapshot *ret)
{
	struct fp_err err = {.code = 0};

	f->asked = false;
	f->due_ms = next_due(f, now_ms);
	if (snapshot_open(fd, ret, &err) < 0) {
		f->trouble = err;
		return FEED_NOTHING;
	}
	f->trouble = (struct fp_err){.code = 0};
	note_change(f, &ret->manager, now_ms);
	f->manager_pid = ret->manager.pid;
	f->launcher_pid = ret->manager.launcher_pid;
	return FEED_SNAPSHOT;
}

enum feed_event feed_step(struct feed *f, int64_t now_ms, struct snapshot *ret_snapshot, struct feed_refusal *ret_refusal)
{
	const struct client_wait wait = {.deadline_ms = 0};
	struct client_answer answer = {.fd = -1};
	struct fp_err err = {.code = 0};
	enum feed_event event;
	int r;

	if (!f->asked && now_ms >= f->due_ms)
		ask(f, now_ms);
	if (!f->asked)
		return FEED_NOTHING;
	r = client_await(f->client, &wait, &answer, &err);
	if (r == -ETIMEDOUT)
		return FEED_NOTHING;
	if (r < 0) {
		f->trouble = err;
		lose(f, now_ms);
		return FEED_NOTHING;
	}
	if (answer.code != FCGIPM_EXIT_DONE) {
		ret_refusal->code = answer.code <= UCHAR_MAX ? (int)answer.code : FCGIPM_EXIT_NO;
		(void)fp_fail(&ret_refusal->why, EPERM, "%s", answer.text);
		event = FEED_REFUSED;
	} else {
		event = take_answer(f, now_ms, answer.fd, ret_snapshot);
	}
	fp_close(&answer.fd);
	return event;
}

void feed_hurry(struct feed *f)
{
	f->due_ms = 0;
}

const char *feed_news(const struct feed *f, int64_t now_ms)
{
	if (f->trouble.code != 0)
		return f->trouble.text;
	if (f->asked && now_ms - f->asked_ms >= SILENT_MS)
		return "the manager does not answer";
	return f->changed_ms != 0 && now_ms - f->changed_ms < CHANGE_SHOWN_MS ? f->change : NULL;
}
