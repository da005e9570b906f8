/* The exec broker's profiles: what may be run, as whom, for whom; how many are at it, and who waits. */
#ifndef FCGIPM_LAUNCHER_PROFILE_H
#define FCGIPM_LAUNCHER_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/spec/spec.h"
#include "fcgipm/wire/ledger.h"

struct launcher;
struct probe_peer;
struct run;

struct profile {
	struct profile *next;
	void *bytes; /* of the spec, which points into them; another one after a reload that changes it */
	size_t len;
	struct spec_profile spec;
	bool gone; /* no longer in the file; it is freed with its last run */
	uint32_t running, waiting;
	struct run *first, **last; /* who waits, in order */
	int64_t cpu_us; /* of all that has ended */
	struct wire_ledger_line figures, *line; /* what is told of it (ledger.h); line: where, or NULL */
};

/* The one of that name that is in the file, or NULL. */
struct profile *profile_find(const struct launcher *l, const char *name);
/* Takes up those of a load whose floors have been checked.  What runs goes on; what waits is judged by the new profile when its turn comes.  0 or -ENOMEM. */
int profiles_take(struct launcher *l, const struct spec_file *f);
/* Frees one that is gone when nothing of it runs or waits. */
void profile_settle(struct launcher *l, struct profile *p);
void profiles_clear(struct launcher *l);

/* Whether that account may have something run by it, whatever else stands against it. */
bool profile_permits(const struct profile *p, const struct probe_peer *peer);
bool profiles_permit(const struct launcher *l, const struct probe_peer *peer);

#endif
