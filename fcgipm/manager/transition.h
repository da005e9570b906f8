/* One generation behind the other: a new spec, or the same one with new workers.
 *
 * BIND: the candidate's listener is asked for.  BOOT: workers of the new kind start beside the old ones; when as many are ready as the old ones were, the
 * new spec is committed and the old workers retire.  If one of the new kind dies before it was ever ready, the old ones stay and nothing has changed.
 */
#ifndef FCGIPM_MANAGER_TRANSITION_H
#define FCGIPM_MANAGER_TRANSITION_H

#include <stdbool.h>

struct listener;
struct pool;

/* A spec has come from the launcher; taken. */
struct pool_spec;
void transition_offer(struct pool *p, struct pool_spec *taken);
/* New workers of the same spec. why: static. */
void transition_restart(struct pool *p, const char *why);
/* Goes on with a restart that the manager before us had begun. */
void transition_resume(struct pool *p);
/* Goes on with whatever is under way. */
void transition_step(struct pool *p);
void transition_bound(struct pool *p, struct listener *taken);
void transition_fail(struct pool *p, const char *reason);
/* A worker has crashed; at_boot: before it was ever ready; old: of the kind that is being replaced.  True when the transition has dealt with it. */
bool transition_crashed(struct pool *p, bool at_boot, bool old, const char *reason);
/* Nothing is to be replaced any more: the pool ends. */
void transition_drop(struct pool *p);

#endif
