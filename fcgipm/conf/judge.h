/* The judgement of a configuration: from trees to a spec, or all that is wrong. */
#ifndef FCGIPM_CONF_JUDGE_H
#define FCGIPM_CONF_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/base/text.h"
#include "fcgipm/conf/accounts.h"
#include "fcgipm/conf/report.h"
#include "fcgipm/conf/section.h"
#include "fcgipm/conf/yaml.h"
#include "fcgipm/settings/settings.h"
#include "fcgipm/spec/spec.h"

/* What conf knows beside the files. */
struct conf_world {
	bool ordinary; /* started by an ordinary user: everything runs as uid and gid */
	uint32_t uid, gid; /* the launcher's */
	uint32_t conf_uid, conf_gid;
	uint32_t somaxconn;
	const char *runtime; /* the default of manager.runtime_directory */
	char *const *environment; /* what inherit_environment takes from */
	struct conf_account_source accounts;
};

/* One pool on the way from the file to the spec. */
struct conf_pool {
	const char *name;
	const struct conf_node *node;
	bool bad; /* something is wrong with it */
	struct spec_entry entry;
	uint32_t uid, workers_min;
	const char *address; /* in a form in which equal addresses are equal texts and in order beside their wildcards */
	struct spec_place address_place;
	struct fp_doc dump;
};

/* One profile of the exec broker on that way. */
struct conf_profile {
	const char *name;
	const struct conf_node *node;
	struct wire_blob blob; /* spec_profile_encode */
	struct settings_acl clients;
	bool worker_clients;
	struct fp_doc dump;
};

struct conf_job {
	const struct conf_world *world;
	struct conf_report *report;
	struct fp_arena arena; /* trees, blobs */
	struct conf_yaml yaml;
	uint64_t bytes; /* of all files so far */
	bool want_dump, secrets;

	struct conf_node *roots[CONF_FILES_MAX]; /* by file; NULL: not readable */
	struct manager_settings manager;
	struct spec_place manager_places[SETTINGS_MANAGER_COUNT];
	const struct conf_node *manager_nodes[SETTINGS_MANAGER_COUNT];
	struct pool_settings defaults;
	struct spec_place default_places[SETTINGS_POOL_COUNT];
	const struct conf_node *default_nodes[SETTINGS_POOL_COUNT];
	struct wire_blob manager_blob;
	struct conf_pool *pools;
	uint32_t pool_count;
	struct conf_profile *profiles;
	uint32_t profile_count;
};

struct conf_job *conf_job_new(const struct conf_world *world, struct conf_report *report);
void conf_job_free(struct conf_job *j);

/* Counts a file of that length before it is read: false, with an error, when all of them together would be too large. */
bool conf_job_has_room(struct conf_job *j, uint64_t len);
/* Reads one file's bytes; the first is the main one.  Returns its number, -1 when there are too many. */
int conf_job_add(struct conf_job *j, const char *name, const char *bytes, size_t len);
/* The patterns of the main file's include, one by one: calls each for every one. */
void conf_job_includes(struct conf_job *j, void (*each)(void *ctx, struct spec_place place, const char *pattern), void *ctx);
/* When all files are there: everything is judged. */
void conf_job_judge(struct conf_job *j);
/* The spec, when the report holds no error.  *ret is malloc'd. 0, -E2BIG, -ENOMEM. */
int conf_job_spec(struct conf_job *j, void **ret, size_t *ret_len);
/* The whole effective configuration. */
void conf_job_dump(const struct conf_job *j, struct fp_doc *d);

/* ---- between the files of this folder ---- */

/* manager.*: accounts, defaults (manager.c). */
void conf_judge_manager(struct conf_job *j, const struct conf_node *node);
/* What no pool and no profile may be or have, once manager.* is judged (judge.c). */
struct spec_floors conf_job_floors(const struct conf_job *j);
/* fcgipm's own accounts: nothing that it starts runs as one of them. */
bool conf_is_own_user(const struct conf_job *j, uint32_t uid);
bool conf_is_own_group(const struct conf_job *j, uint32_t gid);
/* One pool (pool.c). */
void conf_judge_pool(struct conf_job *j, struct conf_pool *p);
/* One profile (profile.c). */
void conf_judge_profile(struct conf_job *j, struct conf_profile *p);
/* What pools do to each other (together.c). */
void conf_judge_together(struct conf_job *j);

/* Users and groups of a list of peers into an ACL; unknown ones are errors where the file gives them, and nobody where they are defaults. */
struct conf_peers {
	const struct settings_list *names;
	struct spec_place place; /* line 0: defaults */
	const char *key; /* "manager.control.operators", for messages */
	const struct conf_node *node; /* the list as it stands in the file */
};
void conf_resolve_peers(struct conf_job *j, const struct conf_peers *p, struct settings_acl *ret);
/* Whom an ACL may name: an account with its groups. */
struct conf_who {
	uint32_t uid, gid;
	const uint32_t *groups;
	uint32_t group_count;
};
bool conf_acl_names(const struct settings_acl *acl, const struct conf_who *who);
/* The strongest that manager.control gives him: "change every pool", and the list that does so; NULL: none. */
const char *conf_power_of(const struct conf_job *j, const struct conf_who *who, const char **ret_list);
/* What is doubtful about a name in an environment, or about NAME=VALUE; NULL: nothing. */
const char *conf_variable_doubt(const char *variable);
/* As the spec has a limit. */
static inline uint64_t conf_limit_of(uint64_t v)
{
	return v == 0 ? SPEC_LIMIT_INHERIT : v;
}
/* 0, or -1 after an error in the report. */
int conf_resolve_user(struct conf_job *j, struct spec_place place, const char *key, const char *text, struct conf_account *ret);
int conf_resolve_group(struct conf_job *j, struct spec_place place, const char *key, const char *text, struct conf_account *ret);
/* A writer grows until encode fits; the bytes are copied into the arena. */
struct wire_blob conf_encode(struct conf_job *j, void (*encode)(struct wire_wr *w, const void *what), const void *what);

#endif
