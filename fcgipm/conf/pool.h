/* One pool while it is judged: between pool.c, pool_accounts.c and pool_socket.c. */
#ifndef FCGIPM_CONF_POOL_H
#define FCGIPM_CONF_POOL_H

#include "fcgipm/conf/judge.h"

struct conf_draft {
	struct conf_job *job;
	struct conf_pool *pool;
	uint32_t raised_before; /* of the report, when this pool's turn began */
	struct pool_settings set;
	struct spec_place places[SETTINGS_POOL_COUNT];
	const struct conf_node *nodes[SETTINGS_POOL_COUNT];
	struct spec_pool spec;
	struct fp_arena scratch;
};

bool conf_draft_given(const struct conf_draft *d, enum settings_pool_index i);
/* Of the value, or of the pool where the value is a default. */
struct spec_place conf_draft_place(const struct conf_draft *d, enum settings_pool_index i);
/* Given, but not by the pool itself: what is wrong with it is wrong for others, too. */
bool conf_draft_inherited(const struct conf_draft *d, enum settings_pool_index i);
/* Given by the pool itself, and another value than the table's default: somebody means something by it. */
bool conf_draft_differs(const struct conf_draft *d, enum settings_pool_index i);
/* "pools.blog.socket.user", "defaults.socket.user" where the pool inherits it. */
void conf_draft_key(const struct conf_draft *d, enum settings_pool_index i, char (*ret)[CONF_PATH_MAX]);

/* At the value, with the key in front; of what is inherited the same is said once for all pools. */
void conf_draft_error(const struct conf_draft *d, enum settings_pool_index i, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void conf_draft_warn(const struct conf_draft *d, enum settings_pool_index i, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* user, group, groups, frontends (pool_accounts.c). */
void conf_draft_accounts(struct conf_draft *d);
/* environment, inherit_environment (pool_environment.c).  0 or -ENOMEM. */
int conf_draft_environment(struct conf_draft *d);
/* listen, socket.* (pool_socket.c). */
void conf_draft_socket(struct conf_draft *d);

#endif
