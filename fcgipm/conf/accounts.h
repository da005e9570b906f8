/* Users and groups, by name or number. */
#ifndef FCGIPM_CONF_ACCOUNTS_H
#define FCGIPM_CONF_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

struct conf_account {
	char name[256]; /* the number's digits where it has no name */
	uint32_t id; /* uid or gid */
	uint32_t gid; /* of a user: the primary group */
	bool known; /* the account database has it */
};

/* Where accounts come from: the system, or a test's few. 0 or -ENOENT; name, id and gid are filled. */
struct conf_account_source {
	int (*user_by_name)(void *ctx, const char *name, struct conf_account *ret);
	int (*user_by_id)(void *ctx, uint32_t uid, struct conf_account *ret);
	int (*group_by_name)(void *ctx, const char *name, struct conf_account *ret);
	int (*group_by_id)(void *ctx, uint32_t gid, struct conf_account *ret);
	void *ctx;
};

/* Digits are a number, which need not have a name; anything else a name.  0, -ENOENT, -ERANGE (a number that no account may have). */
int conf_find_user(const struct conf_account_source *s, const char *text, struct conf_account *ret);
int conf_find_group(const struct conf_account_source *s, const char *text, struct conf_account *ret);
/* The name of a group, or its digits. */
void conf_group_of(const struct conf_account_source *s, uint32_t gid, struct conf_account *ret);

/* The system's: /etc/passwd and /etc/group read once, for thousands of accounts, and then whatever nsswitch.conf(5) names. */
struct conf_system_accounts;
struct conf_system_accounts *conf_system_accounts_new(struct conf_account_source *ret);
void conf_system_accounts_free(struct conf_system_accounts *s);

#endif
