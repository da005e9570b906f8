/* Templates: the way in which a pool's workers come to be, and the process that they are forked from. */
#ifndef FCGIPM_MANAGER_TEMPLATE_H
#define FCGIPM_MANAGER_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

struct pool;
struct worker;
struct wire_exited;

/* How the pool goes: as workers.start says, until it is known better. */
enum way { WAY_UNKNOWN, WAY_PREFORK, WAY_EXEC };

struct template_way {
	enum way way;
	bool doubtful; /* the template ended, as its workers may */
	unsigned lost; /* templates in a row whose workers were all lost */
	char reason[256]; /* of WAY_EXEC */
};

/* Workers are forked from a template, or will be when it is ready. */
bool template_is_wanted(const struct pool *p);
/* One of the wanted kind that can be forked from; NULL. */
struct worker *template_ready(const struct pool *p);
/* One of the kind that is being replaced; NULL. */
struct worker *template_of_old(const struct pool *p);
/* One is on its way to its first accept. */
bool template_boots(const struct pool *p);
/* Boots one of the wanted kind, unless one is booting. */
void template_boot(struct pool *p);
/* The launcher says that it is at its first accept, or that it serves as a worker instead (reason: enum hook_reason). */
void template_hooked(struct worker *t, uint8_t reason);
/* It was seen to serve by means that the library does not see. */
void template_serves(struct worker *t);
void template_exited(struct worker *t, const struct wire_exited *m, const char *text);
/* A worker that was asked of it (an id) did not come to be, or has ended before its first answer.  A template of which several are lost in a row is followed by another,
 * at once if it does not even fork in time; where that is no better, the pool goes by exec, if it may. */
void template_lost(struct pool *p, uint64_t template_, bool at_once, const char *why);
/* One has answered. */
void template_proven(struct pool *p, uint64_t template_);
/* What the pool does with its templates now. */
void template_steer(struct pool *p);
/* A worker started by the command has ended before it was ever ready: the way may have been the wrong one. */
void template_doubt(struct pool *p);
/* New workers of another kind: tried anew; and they did not come to be: as before. */
void template_try(struct pool *p);
void template_back(struct pool *p);
const char *template_way(const struct pool *p);
const char *template_reason(const struct pool *p);

#endif
