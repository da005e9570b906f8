/* A pool's accounts: whose its workers are, and who may lease it (conf process). */
#include "fcgipm/conf/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/hash.h"

static const struct settings_row *row(enum settings_pool_index i)
{
	return &settings_pool_table.rows[i];
}

static int self(const struct conf_draft *d, struct conf_account *ret)
{
	char digits[16];
	struct fp_text t = FP_TEXT(digits);
	int r;

	fp_text_add(&t, "%u", d->job->world->uid);
	r = conf_find_user(&d->job->world->accounts, digits, ret);
	ret->gid = d->job->world->gid;
	return r;
}

static int find_user(struct conf_draft *d, struct conf_account *ret)
{
	char key[CONF_PATH_MAX];

	if (!conf_draft_given(d, SETTINGS_AT_POOL_user)) {
		if (d->job->world->ordinary)
			return self(d, ret);
		conf_error(d->job->report, d->pool->node->key_place, "pools.%s: no user (the account of its workers, such as user: alice)", d->pool->name);
		return -1;
	}
	if (d->set.user[0] == '\0') /* already said */
		return -1;
	conf_draft_key(d, SETTINGS_AT_POOL_user, &key);
	return conf_resolve_user(d->job, conf_draft_place(d, SETTINGS_AT_POOL_user), key, d->set.user, ret);
}

/* False when it is refused: then its groups and powers are no news. */
static bool check_user(struct conf_draft *d, struct conf_account *a)
{
	const struct conf_world *w = d->job->world;
	uint32_t before = d->job->report->raised;

	if (w->ordinary) {
		if (a->id != w->uid)
			conf_draft_warn(d, SETTINGS_AT_POOL_user, "%s is not you (without root every pool runs as you)", a->name);
		self(d, a);
	} else if (a->id == 0) {
		conf_draft_error(d, SETTINGS_AT_POOL_user, "root (an account without privileges)");
	} else if (conf_is_own_user(d->job, a->id)) {
		conf_draft_error(d, SETTINGS_AT_POOL_user, "fcgipm's own account (an account of the pool's own)");
	}
	return d->job->report->raised == before;
}

static const char *group_floor(const struct conf_draft *d, uint32_t gid)
{
	if (gid == 0)
		return "group 0 (a group without privileges)";
	if (conf_is_own_group(d->job, gid))
		return "fcgipm's own group (a group of the pool's own)";
	return NULL;
}

static int find_group(struct conf_draft *d, const struct conf_account *user, struct conf_account *ret)
{
	char key[CONF_PATH_MAX];

	if (conf_draft_given(d, SETTINGS_AT_POOL_group)) {
		if (d->set.group[0] == '\0')
			return -1;
		conf_draft_key(d, SETTINGS_AT_POOL_group, &key);
		return conf_resolve_group(d->job, conf_draft_place(d, SETTINGS_AT_POOL_group), key, d->set.group, ret);
	}
	if (!user->known && !d->job->world->ordinary) {
		conf_draft_error(d, SETTINGS_AT_POOL_user, "a number without an account has no primary group (give group as well)");
		return -1;
	}
	conf_group_of(&d->job->world->accounts, user->gid, ret);
	return 0;
}

static void check_group(struct conf_draft *d, struct conf_account *g)
{
	const struct conf_world *w = d->job->world;
	const char *floor = w->ordinary ? NULL : group_floor(d, g->id);

	if (floor != NULL)
		conf_draft_error(d, conf_draft_given(d, SETTINGS_AT_POOL_group) ? SETTINGS_AT_POOL_group : SETTINGS_AT_POOL_user, "%s", floor);
	if (!w->ordinary || g->id == w->gid)
		return;
	conf_draft_warn(d, SETTINGS_AT_POOL_group, "%s is not your group (without root it is)", g->name);
	conf_group_of(&w->accounts, w->gid, g);
}

static void add_group(struct conf_draft *d, const char *text)
{
	struct spec_pool *p = &d->spec;
	struct conf_account g;
	const struct spec_place place = conf_item_place(d->nodes[SETTINGS_AT_POOL_groups], text, conf_draft_place(d, SETTINGS_AT_POOL_groups));
	const char *floor;
	char key[CONF_PATH_MAX];

	conf_draft_key(d, SETTINGS_AT_POOL_groups, &key);
	if (conf_resolve_group(d->job, place, key, text, &g) < 0)
		return;
	floor = group_floor(d, g.id);
	if (floor != NULL)
		conf_error_once(d->job->report, place, "%s: %s", key, floor);
	else if (p->group_count == SPEC_GROUPS_MAX)
		conf_draft_error(d, SETTINGS_AT_POOL_groups, "too many (256 at most)");
	else
		p->groups[p->group_count++] = g.id;
}

static void resolve_groups(struct conf_draft *d)
{
	struct settings_list *l = &d->set.groups;

	if (d->job->world->ordinary && l->count > 0) {
		conf_draft_warn(d, SETTINGS_AT_POOL_groups, "needs root (left as yours are)");
		settings_clear(&d->set, row(SETTINGS_AT_POOL_groups));
	}
	for (uint32_t i = 0; i < l->count; i++)
		add_group(d, l->items[i]);
	l->hash = fp_hash(FP_HASH_INIT, d->spec.groups, d->spec.group_count * sizeof(d->spec.groups[0]));
}

static int copy_list(struct conf_draft *d, const struct settings_list *from)
{
	int r = 0;

	settings_clear(&d->set, row(SETTINGS_AT_POOL_frontends));
	for (uint32_t i = 0; i < from->count && r == 0; i++)
		r = settings_add(&d->set, row(SETTINGS_AT_POOL_frontends), from->items[i], NULL);
	return r;
}

static void resolve_frontends(struct conf_draft *d)
{
	bool given = conf_draft_given(d, SETTINGS_AT_POOL_frontends);
	struct conf_peers p = {&d->set.frontends, d->job->manager_places[SETTINGS_AT_MANAGER_control_frontends], "manager.control.frontends", NULL};
	char key[CONF_PATH_MAX];

	if (!given) {
		if (copy_list(d, &d->job->manager.control_frontends) < 0)
			conf_draft_error(d, SETTINGS_AT_POOL_frontends, "out of memory");
		p.place.line = 0; /* said already, if there is anything to say */
	} else {
		conf_draft_key(d, SETTINGS_AT_POOL_frontends, &key);
		p.key = key;
		p.place = conf_draft_place(d, SETTINGS_AT_POOL_frontends);
		p.node = d->nodes[SETTINGS_AT_POOL_frontends];
	}
	conf_resolve_peers(d->job, &p, &d->set.frontends_acl);
}

/* Of the first such profile.  Without worker_clients the account alone does not help a worker. */
static void warn_profile(const struct conf_draft *d, const struct conf_who *who)
{
	const struct conf_profile *p = NULL;

	for (uint32_t i = 0; i < d->job->profile_count && p == NULL; i++)
		if (conf_acl_names(&d->job->profiles[i].clients, who))
			p = &d->job->profiles[i];
	if (p != NULL && p->worker_clients)
		conf_draft_warn(d, SETTINGS_AT_POOL_user, "%s is also in exec.%s.clients, with worker_clients: its workers may run programs of that profile",
				d->set.user_name, p->name);
	else if (p != NULL)
		conf_draft_warn(d, SETTINGS_AT_POOL_user,
				"%s is also in exec.%s.clients: only that they descend from fcgipm keeps its workers from running programs of that profile",
				d->set.user_name, p->name);
}

static void warn_power(const struct conf_draft *d)
{
	const struct spec_pool *p = &d->spec;
	const struct conf_who who = {p->uid, p->gid, p->groups, p->group_count};
	const char *list, *power = conf_power_of(d->job, &who, &list);

	if (power == NULL && conf_acl_names(&d->set.frontends_acl, &who)) {
		list = "frontends";
		power = "connect to the pool";
	}
	if (power != NULL) /* the strongest is enough */
		conf_draft_warn(d, SETTINGS_AT_POOL_user, "%s is also in %s: its workers may %s", d->set.user_name, list, power);
	warn_profile(d, &who);
}

void conf_draft_accounts(struct conf_draft *d)
{
	struct conf_account user, group;

	resolve_frontends(d);
	resolve_groups(d);
	if (find_user(d, &user) < 0 || !check_user(d, &user))
		return;
	if (find_group(d, &user, &group) < 0)
		return;
	check_group(d, &group);
	d->spec.uid = d->set.uid = user.id;
	d->spec.gid = d->set.gid = group.id;
	if (!conf_draft_given(d, SETTINGS_AT_POOL_user) || d->job->world->ordinary)
		settings_put_text(&d->set.user, user.name);
	if (!conf_draft_given(d, SETTINGS_AT_POOL_group) || d->job->world->ordinary)
		settings_put_text(&d->set.group, group.name);
	settings_put_text(&d->set.user_name, user.name);
	if (!d->job->world->ordinary)
		warn_power(d);
}
