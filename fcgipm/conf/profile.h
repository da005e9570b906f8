/* One profile of the exec broker while it is judged: between profile.c and profile_accounts.c. */
#ifndef FCGIPM_CONF_PROFILE_H
#define FCGIPM_CONF_PROFILE_H

#include "fcgipm/conf/judge.h"

struct conf_profile_draft {
	struct conf_job *job;
	struct conf_profile *profile;
	uint32_t raised_before; /* of the report, when this profile's turn began */
	struct profile_settings set;
	struct spec_place places[SETTINGS_PROFILE_COUNT];
	const struct conf_node *nodes[SETTINGS_PROFILE_COUNT];
	struct spec_profile spec;
	uint32_t groups[SPEC_GROUPS_MAX];
	struct fp_arena scratch;
};

bool conf_profile_given(const struct conf_profile_draft *d, enum settings_profile_index i);
/* Of the value, or of the profile where the value is a default. */
struct spec_place conf_profile_place(const struct conf_profile_draft *d, enum settings_profile_index i);
/* "exec.cgi.user" */
void conf_profile_key(const struct conf_profile_draft *d, enum settings_profile_index i, char (*ret)[CONF_PATH_MAX]);
/* At the value, with the key in front. */
void conf_profile_error(const struct conf_profile_draft *d, enum settings_profile_index i, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void conf_profile_warn(const struct conf_profile_draft *d, enum settings_profile_index i, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* user, group, groups, min_uid, min_gid, clients (profile_accounts.c). */
void conf_profile_accounts(struct conf_profile_draft *d);

#endif
