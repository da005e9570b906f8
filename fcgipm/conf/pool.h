/* One pool while it is judged: between pool.c, pool_accounts.c and pool_socket.c. */
#ifndef FCGIPM_CONF_POOL_H
#define FCGIPM_CONF_POOL_H

#include "fcgipm/conf/judge.h"

struct conf_draft {
	struct conf_job *job;
	struct conf_pool *pool;
	uint32_t errors_before; /* errors in the report when this pool's turn began */
	struct pool_settings set;
	struct spec_place places[SETTINGS_POOL_COUNT];
	struct spec_pool spec;
	struct conf_arena scratch;
};

bool conf_draft_given(const struct conf_draft *d, enum settings_pool_index i);
/* Of the value, or of the pool where the value is a default. */
struct spec_place conf_draft_place(const struct conf_draft *d, enum settings_pool_index i);
/* "pools.blog.socket.user" */
void conf_draft_key(const struct conf_draft *d, enum settings_pool_index i, char (*ret)[CONF_PATH_MAX]);

/* user, group, groups, frontends (pool_accounts.c). */
void conf_draft_accounts(struct conf_draft *d);
/* listen, socket.* (pool_socket.c). */
void conf_draft_socket(struct conf_draft *d);

#endif
