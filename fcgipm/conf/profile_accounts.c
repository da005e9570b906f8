/* A profile's accounts: as whom its programs run, and who may have them run (conf process). */
#include "fcgipm/conf/profile.h"

#include <string.h>

static const struct settings_row *row(enum settings_profile_index i)
{
	return &settings_profile_table.rows[i];
}

static void key_of(const struct conf_profile_draft *d, enum settings_profile_index i, char (*ret)[CONF_PATH_MAX])
{
	struct fp_text t = FP_TEXT(*ret);

	fp_text_add(&t, "exec.%s.%s", d->profile->name, row(i)->key);
}

static int self(const struct conf_profile_draft *d, struct conf_account *ret)
{
	char digits[16];
	struct fp_text t = FP_TEXT(digits);
	int r;

	fp_text_add(&t, "%u", d->job->world->uid);
	r = conf_find_user(&d->job->world->accounts, digits, ret);
	ret->gid = d->job->world->gid;
	return r;
}

/* ---- clients ---- */

static void resolve_clients(struct conf_profile_draft *d)
{
	struct settings_acl *acl = &d->profile->clients;
	char key[CONF_PATH_MAX];
	const struct conf_peers p = {&d->set.clients, d->places[SETTINGS_AT_PROFILE_clients], key, d->nodes[SETTINGS_AT_PROFILE_clients]};
	uint32_t before = d->job->report->raised;
	struct conf_account own;

	key_of(d, SETTINGS_AT_PROFILE_clients, &key);
	if (d->job->world->ordinary && !conf_profile_given(d, SETTINGS_AT_PROFILE_clients) && self(d, &own) == 0) {
		settings_clear(&d->set, row(SETTINGS_AT_PROFILE_clients));
		settings_add(&d->set, row(SETTINGS_AT_PROFILE_clients), own.name, NULL);
	}
	conf_resolve_peers(d->job, &p, acl);
	d->profile->worker_clients = d->set.worker_clients;
	d->spec.client_uids = (struct spec_ids){acl->uids.count, acl->uids.ids};
	d->spec.client_gids = (struct spec_ids){acl->gids.count, acl->gids.ids};
	if (acl->uids.count + acl->gids.count == 0 && d->job->report->raised == before)
		conf_profile_warn(d, SETTINGS_AT_PROFILE_clients, "nobody may have a program run (a user, or a group as \"@group\")");
}

/* ---- as whom ---- */

static int find_user(const struct conf_profile_draft *d, struct conf_account *ret)
{
	char key[CONF_PATH_MAX];

	key_of(d, SETTINGS_AT_PROFILE_user, &key);
	return conf_resolve_user(d->job, conf_profile_place(d, SETTINGS_AT_PROFILE_user), key, d->set.user, ret);
}

/* False when it is refused: then its groups and powers are no news. */
static bool check_user(const struct conf_profile_draft *d, struct conf_account *a)
{
	const struct conf_world *w = d->job->world;
	uint32_t before = d->job->report->raised;

	if (w->ordinary) {
		if (a->id != w->uid)
			conf_profile_warn(d, SETTINGS_AT_PROFILE_user, "%s is not you (without root every program runs as you)", a->name);
		self(d, a);
	} else if (a->id == 0) {
		conf_profile_error(d, SETTINGS_AT_PROFILE_user, "root (an account without privileges)");
	} else if (conf_is_own_user(d->job, a->id)) {
		conf_profile_error(d, SETTINGS_AT_PROFILE_user, "fcgipm's own account (an account of the programs' own)");
	}
	return d->job->report->raised == before;
}

static const char *group_floor(const struct conf_profile_draft *d, uint32_t gid)
{
	if (gid == 0)
		return "group 0 (a group without privileges)";
	if (conf_is_own_group(d->job, gid))
		return "fcgipm's own group (a group of the programs' own)";
	return NULL;
}

/* Where the group stands, or what it follows from. */
static enum settings_profile_index group_from(const struct conf_profile_draft *d)
{
	return d->set.group[0] != '\0' ? SETTINGS_AT_PROFILE_group : SETTINGS_AT_PROFILE_user;
}

static int find_group(const struct conf_profile_draft *d, const struct conf_account *user, struct conf_account *ret)
{
	char key[CONF_PATH_MAX];

	if (d->set.group[0] != '\0') {
		key_of(d, SETTINGS_AT_PROFILE_group, &key);
		return conf_resolve_group(d->job, conf_profile_place(d, SETTINGS_AT_PROFILE_group), key, d->set.group, ret);
	}
	if (!user->known && !d->job->world->ordinary) {
		conf_profile_error(d, SETTINGS_AT_PROFILE_user, "a number without an account has no primary group (give group as well)");
		return -1;
	}
	conf_group_of(&d->job->world->accounts, user->gid, ret);
	return 0;
}

static void check_group(const struct conf_profile_draft *d, struct conf_account *g)
{
	const struct conf_world *w = d->job->world;
	const char *floor = w->ordinary ? NULL : group_floor(d, g->id);

	if (floor != NULL)
		conf_profile_error(d, group_from(d), "%s", floor);
	if (!w->ordinary || g->id == w->gid)
		return;
	conf_profile_warn(d, SETTINGS_AT_PROFILE_group, "%s is not your group (without root it is)", g->name);
	conf_group_of(&w->accounts, w->gid, g);
}

static void add_group(struct conf_profile_draft *d, const char *text)
{
	const struct spec_place place = conf_item_place(d->nodes[SETTINGS_AT_PROFILE_groups], text, conf_profile_place(d, SETTINGS_AT_PROFILE_groups));
	struct spec_ids *l = &d->spec.groups;
	struct conf_account g;
	const char *floor;
	char key[CONF_PATH_MAX];

	key_of(d, SETTINGS_AT_PROFILE_groups, &key);
	if (conf_resolve_group(d->job, place, key, text, &g) < 0)
		return;
	floor = group_floor(d, g.id);
	if (floor != NULL)
		conf_error(d->job->report, place, "%s: %s", key, floor);
	else if (l->count == SPEC_GROUPS_MAX)
		conf_error_once(d->job->report, conf_profile_place(d, SETTINGS_AT_PROFILE_groups), "%s: too many (256 at most)", key);
	else
		d->groups[l->count++] = g.id;
}

static void resolve_groups(struct conf_profile_draft *d)
{
	struct settings_list *l = &d->set.groups;

	d->spec.groups.ids = d->groups;
	if (d->job->world->ordinary && l->count > 0) {
		conf_profile_warn(d, SETTINGS_AT_PROFILE_groups, "needs root (left as yours are)");
		settings_clear(&d->set, row(SETTINGS_AT_PROFILE_groups));
	}
	for (uint32_t i = 0; i < l->count; i++)
		add_group(d, l->items[i]);
}

/* ---- the least numbers ---- */

/* A given one is the administrator's word; a default gives way to the account that he names. */
static void hold_least(const struct conf_profile_draft *d, enum settings_profile_index least, const struct conf_account *a, uint32_t *value)
{
	bool user = least == SETTINGS_AT_PROFILE_min_uid;

	if (a->id >= *value)
		return;
	if (conf_profile_given(d, least))
		conf_profile_error(d, user ? SETTINGS_AT_PROFILE_user : group_from(d), "%s has %s %u, below %s, %u (another account, or a lower %s)", a->name,
				   user ? "uid" : "gid", a->id, row(least)->key, *value, row(least)->key);
	else if (a->id > 0) /* what is 0 has been refused */
		*value = a->id;
}

static void hold_both(struct conf_profile_draft *d, const struct conf_account *user, const struct conf_account *group)
{
	hold_least(d, SETTINGS_AT_PROFILE_min_uid, user, &d->set.min_uid);
	hold_least(d, SETTINGS_AT_PROFILE_min_gid, group, &d->set.min_gid);
}

/* ---- all of it ---- */

/* What stands there is none, and that has been said: what follows from "owner" is no news. */
static bool user_is_wrong(const struct conf_profile_draft *d)
{
	const struct conf_node *n = d->nodes[SETTINGS_AT_PROFILE_user];

	return n != NULL && (n->shape != CONF_SCALAR || strcmp(n->text, d->set.user) != 0);
}

static void judge_owner(struct conf_profile_draft *d)
{
	const struct conf_world *w = d->job->world;
	struct conf_account user, group;

	d->spec.owner = true;
	if (user_is_wrong(d))
		return;
	if (d->set.group[0] != '\0')
		conf_profile_error(d, SETTINGS_AT_PROFILE_group,
				   "not with user: owner: a program runs in the group that it belongs to (leave it out, or name a user)");
	if (d->set.groups.count > 0)
		conf_profile_error(d, SETTINGS_AT_PROFILE_groups, "not with user: owner (leave it out, or name a user)");
	if (!w->ordinary || self(d, &user) < 0)
		return;
	conf_group_of(&w->accounts, w->gid, &group);
	hold_both(d, &user, &group); /* there is nobody else as whom a program could run */
}

static void warn_power(const struct conf_profile_draft *d, const char *name)
{
	const struct spec_profile *p = &d->spec;
	const struct conf_who who = {p->uid, p->gid, p->groups.ids, p->groups.count};
	const char *list, *power = conf_power_of(d->job, &who, &list);

	if (power != NULL)
		conf_profile_warn(d, SETTINGS_AT_PROFILE_user, "%s is also in %s: its programs may %s", name, list, power);
}

static void judge_named(struct conf_profile_draft *d)
{
	bool ordinary = d->job->world->ordinary;
	uint32_t before = d->job->report->raised;
	struct conf_account user, group;

	resolve_groups(d);
	if (find_user(d, &user) < 0 || !check_user(d, &user) || find_group(d, &user, &group) < 0)
		return;
	check_group(d, &group);
	hold_both(d, &user, &group);
	d->spec.uid = user.id;
	d->spec.gid = group.id;
	if (ordinary)
		settings_put_text(&d->set.user, user.name);
	if (ordinary || d->set.group[0] == '\0')
		settings_put_text(&d->set.group, group.name);
	if (!ordinary && d->job->report->raised == before)
		warn_power(d, user.name);
}

void conf_profile_accounts(struct conf_profile_draft *d)
{
	resolve_clients(d);
	if (strcmp(d->set.user, "owner") == 0)
		judge_owner(d);
	else
		judge_named(d);
	d->spec.min_uid = d->set.min_uid;
	d->spec.min_gid = d->set.min_gid;
}
