/* Who gets the workers that manager.max_workers still allows, when they are not enough for all.  Pure.
 *
 * The rule: first every pool that has demand comes to its workers.min (to one, where min is 0), those with the fewest workers first; what is left goes to the
 * pools with the fewest workers.  When nothing is left and a pool is below that, the pools with the most workers above theirs give some up, which go
 * when they are idle.  Beyond it nothing is taken away: who came first keeps what it has as long as it needs it.
 */
#ifndef FCGIPM_POOL_SHARE_H
#define FCGIPM_POOL_SHARE_H

#include <stddef.h>
#include <stdint.h>

struct share_claim {
	uint32_t have; /* workers that accept or boot */
	uint32_t min, wanted; /* wanted is the scaler's answer, at least min */
	uint32_t grant; /* answer: how many it may start */
	uint32_t give; /* answer: how many it must retire */
};

/* total: manager.max_workers; alive: all workers, also those on their way out, of which `leaving` are.  Grants never exceed total - alive. */
void share_out(struct share_claim *claims, size_t count, uint32_t total, uint32_t alive, uint32_t leaving);

#endif
