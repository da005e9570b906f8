/* Reloading: the launcher reads and judges the file, and tells which pools differ; each of them then changes by itself.  One reload at a time: who asks
 * while one is under way is answered by the next one. */
#ifndef FCGIPM_MANAGER_RELOAD_H
#define FCGIPM_MANAGER_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

struct manager;
struct pool;

enum reload_stage { RELOAD_IDLE, RELOAD_ASKED, RELOAD_SETTLING };

struct reload {
	enum reload_stage stage;
	uint32_t round; /* of the reload that is under way, or was last */
	bool again; /* somebody asked meanwhile */
};

/* The round that will answer whoever asks now. */
uint32_t reload_ask(struct manager *m);
/* The pool is changed by the reload that is under way. */
void reload_touches(struct pool *p);
/* What the reload brought cannot run. */
void reload_pool_failed(struct pool *p, const char *reason);
void reload_review(struct pool *p);
/* At the end of each turn: is it done? */
void reload_step(struct manager *m);

#endif
