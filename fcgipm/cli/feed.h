/* Snapshots, one after the other, from managers that may come and go: nothing here waits, the caller has a loop of its own. */
#ifndef FCGIPM_CLI_FEED_H
#define FCGIPM_CLI_FEED_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/base/err.h"
#include "fcgipm/cli/cli.h"
#include "fcgipm/client/snapshot.h"

struct fcgipm_client;

struct feed {
	const char *pool; /* "": all */
	int64_t interval_ms;
	char path_buf[PATH_MAX];
	const char *path; /* of the control socket; into path_buf, or static */
	struct fcgipm_client *client; /* NULL: no manager is there */
	bool asked; /* the answer is to come */
	int64_t due_ms, asked_ms, changed_ms;
	int32_t manager_pid, launcher_pid; /* of the last snapshot; 0: there was none */
	struct fp_err trouble; /* why there is nothing new */
	char change[128]; /* another manager has taken over */
};

enum feed_event {
	FEED_NOTHING,
	FEED_SNAPSHOT,
	FEED_REFUSED, /* the manager said no: *ret_refusal */
};

struct feed_refusal {
	int code;
	struct fp_err why;
};

/* The first connection; *f stays where it is from then on.  0, or an exit code after it was said why. */
int feed_open(struct feed *f, const struct cli *cli, const char *pool, int64_t interval_ms);
void feed_close(struct feed *f);
/* For poll(); -1: there is nothing to poll. */
int feed_fd(const struct feed *f);
/* Milliseconds until feed_step() has something to do by itself. */
int feed_wait_ms(const struct feed *f, int64_t now_ms);
/* Asks when it is time, connects anew, takes what has come.  FEED_SNAPSHOT: *ret_snapshot is the caller's. */
enum feed_event feed_step(struct feed *f, int64_t now_ms, struct snapshot *ret_snapshot, struct feed_refusal *ret_refusal);
/* Ask at once. */
void feed_hurry(struct feed *f);
/* What a person should know: that no manager is there or none answers, or for a while that another has taken over; NULL: all is well. */
const char *feed_news(const struct feed *f, int64_t now_ms);

#endif
