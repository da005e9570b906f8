/* Commands that wait until they are done: each is a wish that is looked at whenever its pool has been steered. */
#ifndef FCGIPM_MANAGER_OPS_H
#define FCGIPM_MANAGER_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/base/text.h"

struct client;
struct manager;
struct pool;

enum op_kind { OP_RESTART, OP_SCALE, OP_STOP, OP_START, OP_RELOAD, OP_SHUTDOWN };

struct op {
	struct op *next;
	enum op_kind kind;
	struct client *client; /* NULL: it has gone, or there was none */
	uint32_t seq;
	struct pool *pool; /* NULL: all */
	uint32_t tag, round; /* of RESTART, of RELOAD */
	struct fp_doc text; /* of RELOAD: what failed */
	bool failed;
};

struct op_list {
	struct op *first;
};

/* Notes the wish.  no_wait: the client is answered now, and nothing is noted but a reload (which logs what came of it). */
struct op *op_begin(struct manager *m, enum op_kind kind, struct pool *p, struct client *c, uint32_t seq);
/* Ends and answers those wishes of the pool that are fulfilled. */
void ops_review(struct pool *p);
/* What was wanted of the pool cannot be had: ends those that wait for workers to come. */
void ops_fail(struct pool *p, const char *reason);
/* A word to those who wait for the pool. */
void ops_note(struct pool *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ops_forget_client(struct manager *m, const struct client *c);
/* The pool is forgotten. */
void ops_forget_pool(struct pool *p);
/* fcgipm ends: shutdown is done, all else is not. */
void ops_stopped(struct manager *m);
void ops_fini(struct manager *m);

/* Reloads. */
void ops_reload_refused(struct manager *m, uint32_t round, unsigned code, const char *text);
void ops_reload_note(struct manager *m, uint32_t round, const char *text);
void ops_reload_failure(struct manager *m, uint32_t round, const char *pool, const char *reason);
bool ops_has_reload(const struct manager *m);
/* Rounds up to asked have been answered by the launcher; all below oldest are settled. */
void ops_reload_done(struct manager *m, uint32_t asked, uint32_t oldest);

#endif
