/* A cgroup for each run of the broker, so that whatever it left behind can be found and ended (cgroups(7), version 2).  They are used again: making one takes longer
 * than a fork.  Where the launcher may make none, a run has none, and a subreaper of its own. */
#ifndef FCGIPM_LAUNCHER_CGROUP_H
#define FCGIPM_LAUNCHER_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

struct cgroup {
	struct cgroup *next;
	int dir, procs; /* the directory; its cgroup.procs */
	uint32_t number; /* its name */
};

struct cgroups {
	struct cgroup *free; /* empty ones */
	struct cgroup *busy, **busy_last; /* given back while somebody was still there; without descriptors */
	uint32_t busy_count;
	char *path; /* of ours; NULL: none */
	int dir; /* its descriptor, -1: there can be none */
	uint32_t made;
};

/* Makes the directory in which they are, and removes those that launchers left that are no more.  Before capabilities are dropped: the root cgroup can be written by
 * none but CAP_DAC_OVERRIDE. */
void cgroups_open(struct cgroups *all);
/* An empty one, or NULL: there can be none, or too many are not empty. */
struct cgroup *cgroup_take(struct cgroups *all);
/* The run has ended.  Who is still there is killed, or left until it goes by itself.  Returns whether anybody was. */
bool cgroup_return(struct cgroups *all, struct cgroup *g, bool kill);
/* Removes them all, as far as they are empty. */
void cgroups_close(struct cgroups *all);

#endif
