/* As whom a pool's workers or a profile's programs run: user, group and groups mean the same for both. */
#ifndef FCGIPM_CONF_RUN_AS_H
#define FCGIPM_CONF_RUN_AS_H

#include "fcgipm/conf/judge.h"

/* A value of the file, and where what is wrong with it is said. */
struct conf_value {
	const char *text; /* "" where it is wrong, which has been said */
	bool given;
	struct spec_place place; /* of the value, or of whoever has the default */
	char key[CONF_PATH_MAX]; /* "pools.blog.user" */
};

struct conf_run_as {
	struct conf_job *job;
	const char *each, *own; /* in messages: "every pool runs as you", "an account of the pool's own" */
	struct conf_value user, group, groups;
	const struct settings_list *names; /* of groups */
	const struct conf_node *node; /* where they stand */
	uint32_t *ids; /* room for SPEC_GROUPS_MAX: numbers of groups */
	/* what comes of it */
	uint32_t count; /* of ids */
	struct conf_account as_user, as_group;
};

/* False when user or group is refused: what would follow from it is no news.  A user that is not given is the launcher's, but root: then the caller says what is missing. */
bool conf_run_as(struct conf_run_as *r);
/* The launcher's own account: what an ordinary user starts runs as that.  0, or -errno. */
int conf_self(const struct conf_job *j, struct conf_account *ret);

#endif
