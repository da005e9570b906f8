/* Users and groups (conf process). */
#include "fcgipm/conf/accounts.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/units.h"

static int as_number(const char *text, uint32_t *ret)
{
	uint64_t v;
	int r = fp_parse_u64(text, &v);

	if (r == 0 && v >= UINT32_MAX)
		r = -ERANGE;
	if (r == 0)
		*ret = (uint32_t)v;
	return r;
}

static void nameless(uint32_t id, struct conf_account *ret)
{
	*ret = (struct conf_account){.id = id};
	snprintf(ret->name, sizeof(ret->name), "%u", id);
}

typedef int by_name(void *ctx, const char *name, struct conf_account *ret);
typedef int by_id(void *ctx, uint32_t id, struct conf_account *ret);

static int find(const struct conf_account_source *s, const char *text, by_name *name, by_id *number, struct conf_account *ret)
{
	uint32_t id = 0;
	int r = as_number(text, &id);

	if (r == -ERANGE)
		return r;
	if (r < 0) {
		r = name(s->ctx, text, ret);
		ret->known = r == 0;
		return r;
	}
	ret->known = number(s->ctx, id, ret) == 0;
	if (!ret->known)
		nameless(id, ret);
	return 0;
}

int conf_find_user(const struct conf_account_source *s, const char *text, struct conf_account *ret)
{
	return find(s, text, s->user_by_name, s->user_by_id, ret);
}

int conf_find_group(const struct conf_account_source *s, const char *text, struct conf_account *ret)
{
	return find(s, text, s->group_by_name, s->group_by_id, ret);
}

void conf_group_of(const struct conf_account_source *s, uint32_t gid, struct conf_account *ret)
{
	ret->known = s->group_by_id(s->ctx, gid, ret) == 0;
	if (!ret->known)
		nameless(gid, ret);
}

/* ---- the system's ---- */

struct table {
	struct conf_account *rows; /* in order of name; no name twice */
	const struct conf_account **by_id; /* in order of number; NULL when memory was out */
	size_t count, cap;
};

struct conf_system_accounts {
	struct table users, groups;
};

static void table_add(struct table *t, const char *name, uint32_t id, uint32_t gid)
{
	if (name[0] == '+' || name[0] == '-' || strlen(name) >= sizeof(t->rows->name))
		return;
	if (t->count == t->cap) {
		size_t cap = t->cap == 0 ? 64 : 2 * t->cap;
		struct conf_account *more = reallocarray(t->rows, cap, sizeof(*more));

		if (more == NULL)
			return;
		t->rows = more;
		t->cap = cap;
	}
	t->rows[t->count] = (struct conf_account){.id = id, .gid = gid};
	strcpy(t->rows[t->count++].name, name);
}

static int by_name_order(const void *a, const void *b)
{
	return strcmp(((const struct conf_account *)a)->name, ((const struct conf_account *)b)->name);
}

static const struct conf_account *table_find(const struct table *t, const char *name)
{
	struct conf_account wanted = {0};

	if (strlen(name) >= sizeof(wanted.name) || t->count == 0)
		return NULL;
	strcpy(wanted.name, name);
	return bsearch(&wanted, t->rows, t->count, sizeof(*t->rows), by_name_order);
}

/* A name that is there twice is left to the system's own order. */
static void table_finish(struct table *t)
{
	size_t kept = 0;

	qsort(t->rows, t->count, sizeof(*t->rows), by_name_order);
	for (size_t i = 0; i < t->count;) {
		size_t same = i + 1;

		while (same < t->count && strcmp(t->rows[same].name, t->rows[i].name) == 0)
			same++;
		if (same == i + 1)
			t->rows[kept++] = t->rows[i];
		i = same;
	}
	t->count = kept;
}

static int by_id_order(const void *va, const void *vb)
{
	const struct conf_account *const *a = va, *const *b = vb;

	return ((*a)->id > (*b)->id) - ((*a)->id < (*b)->id);
}

static void table_index(struct table *t)
{
	t->by_id = calloc(t->count + 1, sizeof(*t->by_id));
	for (size_t i = 0; i < t->count && t->by_id != NULL; i++)
		t->by_id[i] = &t->rows[i];
	if (t->by_id != NULL)
		qsort(t->by_id, t->count, sizeof(*t->by_id), by_id_order);
}

/* NULL also for a number with more than one name: which of them counts is the system's order to say. */
static const struct conf_account *table_find_id(const struct table *t, uint32_t id)
{
	const struct conf_account wanted = {.id = id}, *key = &wanted, **at;
	size_t i;

	if (t->by_id == NULL)
		return NULL;
	at = bsearch(&key, t->by_id, t->count, sizeof(*t->by_id), by_id_order);
	if (at == NULL)
		return NULL;
	i = (size_t)(at - t->by_id);
	if ((i > 0 && at[-1]->id == id) || (i + 1 < t->count && at[1]->id == id))
		return NULL;
	return *at;
}

static void read_users(struct table *t)
{
	FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *p;

	if (f == NULL)
		return;
	while ((p = fgetpwent(f)) != NULL)
		table_add(t, p->pw_name, p->pw_uid, p->pw_gid);
	fclose(f);
	table_finish(t);
	table_index(t);
}

static void read_groups(struct table *t)
{
	FILE *f = fopen("/etc/group", "re");
	const struct group *g;

	if (f == NULL)
		return;
	while ((g = fgetgrent(f)) != NULL)
		table_add(t, g->gr_name, g->gr_gid, g->gr_gid);
	fclose(f);
	table_finish(t);
	table_index(t);
}

static int answer(const char *name, uint32_t id, uint32_t gid, struct conf_account *ret)
{
	*ret = (struct conf_account){.id = id, .gid = gid};
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	return 0;
}

static int system_user(void *ctx, const char *name, struct conf_account *ret)
{
	const struct conf_account *known = table_find(&((struct conf_system_accounts *)ctx)->users, name);
	const struct passwd *p = known == NULL ? getpwnam(name) : NULL;

	if (known != NULL)
		return answer(known->name, known->id, known->gid, ret);
	return p == NULL ? -ENOENT : answer(p->pw_name, p->pw_uid, p->pw_gid, ret);
}

static int system_uid(void *ctx, uint32_t uid, struct conf_account *ret)
{
	const struct conf_account *known = table_find_id(&((struct conf_system_accounts *)ctx)->users, uid);
	const struct passwd *p = known == NULL ? getpwuid(uid) : NULL;

	if (known != NULL)
		return answer(known->name, known->id, known->gid, ret);
	return p == NULL ? -ENOENT : answer(p->pw_name, p->pw_uid, p->pw_gid, ret);
}

static int system_group(void *ctx, const char *name, struct conf_account *ret)
{
	const struct conf_account *known = table_find(&((struct conf_system_accounts *)ctx)->groups, name);
	const struct group *g = known == NULL ? getgrnam(name) : NULL;

	if (known != NULL)
		return answer(known->name, known->id, known->gid, ret);
	return g == NULL ? -ENOENT : answer(g->gr_name, g->gr_gid, g->gr_gid, ret);
}

static int system_gid(void *ctx, uint32_t gid, struct conf_account *ret)
{
	const struct conf_account *known = table_find_id(&((struct conf_system_accounts *)ctx)->groups, gid);
	const struct group *g = known == NULL ? getgrgid(gid) : NULL;

	if (known != NULL)
		return answer(known->name, known->id, known->gid, ret);
	return g == NULL ? -ENOENT : answer(g->gr_name, g->gr_gid, g->gr_gid, ret);
}

struct conf_system_accounts *conf_system_accounts_new(struct conf_account_source *ret)
{
	struct conf_system_accounts *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	read_users(&s->users);
	read_groups(&s->groups);
	*ret = (struct conf_account_source){system_user, system_uid, system_group, system_gid, s};
	return s;
}

void conf_system_accounts_free(struct conf_system_accounts *s)
{
	free(s->users.rows);
	free((void *)s->users.by_id);
	free(s->groups.rows);
	free((void *)s->groups.by_id);
	free(s);
}
