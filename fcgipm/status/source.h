/* Where the numbers come from: the manager, asked over the control socket as an observer.  The connection is kept; an answer serves for a moment, so that many
 * readers of the page cost the manager no more than one. */
#ifndef FCGIPM_STATUS_SOURCE_H
#define FCGIPM_STATUS_SOURCE_H

#include "fcgipm/base/err.h"
#include "fcgipm/client/control.h"
#include "fcgipm/view/view.h"

struct source {
	const char *path; /* of the control socket */
	struct fcgipm_client *client;
	struct view view; /* its snapshots */
	bool any;
	int64_t hangs_until_ms; /* the manager did not answer, and until then nobody waits for it again */
};

/* Brings src->view up to date.  0, or -errno: -EACCES: the manager refused, -ETIMEDOUT: it hangs; err says what it said. */
int source_read(struct source *src, struct fp_err *err);
void source_end(struct source *src);

#endif
