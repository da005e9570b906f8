/* A profile's accounts: as whom its programs run, and who may have them run (conf process). */
#include "fcgipm/conf/profile.h"

#include <string.h>

#include "fcgipm/conf/run_as.h"

static const struct settings_row *row(enum settings_profile_index i)
{
	return &settings_profile_table.rows[i];
}

static struct conf_value value(const struct conf_profile_draft *d, enum settings_profile_index i, const char *text)
{
	struct conf_value v = {.text = text, .given = conf_profile_given(d, i), .place = conf_profile_place(d, i)};

	conf_profile_key(d, i, &v.key);
	return v;
}

/* ---- clients ---- */

static void resolve_clients(struct conf_profile_draft *d)
{
	struct settings_acl *acl = &d->profile->clients;
	char key[CONF_PATH_MAX];
	const struct conf_peers p = {&d->set.clients, d->places[SETTINGS_AT_PROFILE_clients], key, d->nodes[SETTINGS_AT_PROFILE_clients]};
	uint32_t before = d->job->report->raised;
	struct conf_account own;

	conf_profile_key(d, SETTINGS_AT_PROFILE_clients, &key);
	if (d->job->world->ordinary && !conf_profile_given(d, SETTINGS_AT_PROFILE_clients) && conf_self(d->job, &own) == 0) {
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

static struct conf_run_as named(struct conf_profile_draft *d)
{
	struct conf_run_as r = {
		.job = d->job,
		.each = "program",
		.own = "programs'",
		.user = value(d, SETTINGS_AT_PROFILE_user, d->set.user),
		.group = value(d, SETTINGS_AT_PROFILE_group, d->set.group),
		.groups = value(d, SETTINGS_AT_PROFILE_groups, ""),
		.names = &d->set.groups,
		.node = d->nodes[SETTINGS_AT_PROFILE_groups],
		.ids = d->groups,
	};

	return r;
}

/* ---- the least numbers ---- */

/* A given one is the administrator's word; a default gives way to the account that he names. */
static void hold_least(const struct conf_profile_draft *d, enum settings_profile_index least, enum settings_profile_index of, const struct conf_account *a,
		       uint32_t *value)
{
	if (a->id >= *value)
		return;
	if (conf_profile_given(d, least))
		conf_profile_error(d, of, "%s has %s %u, below %s, %u (another account, or a lower %s)", a->name,
				   least == SETTINGS_AT_PROFILE_min_uid ? "uid" : "gid", a->id, row(least)->key, *value, row(least)->key);
	else if (a->id > 0) /* what is 0 has been refused */
		*value = a->id;
}

static void hold_both(struct conf_profile_draft *d, const struct conf_account *user, const struct conf_account *group)
{
	enum settings_profile_index of = conf_profile_given(d, SETTINGS_AT_PROFILE_group) ? SETTINGS_AT_PROFILE_group : SETTINGS_AT_PROFILE_user;

	hold_least(d, SETTINGS_AT_PROFILE_min_uid, SETTINGS_AT_PROFILE_user, user, &d->set.min_uid);
	hold_least(d, SETTINGS_AT_PROFILE_min_gid, of, group, &d->set.min_gid);
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
	if (strcmp(d->set.file_owner, "root") == 0)
		conf_profile_warn(d, SETTINGS_AT_PROFILE_file_owner, "root, with user: owner: no program will run, as none runs as root (name a user)");
	if (!w->ordinary || conf_self(d->job, &user) < 0)
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
	struct conf_run_as as = named(d);
	bool ok = conf_run_as(&as);

	d->spec.groups = (struct spec_ids){as.count, d->groups};
	if (ordinary)
		settings_clear(&d->set, row(SETTINGS_AT_PROFILE_groups));
	if (!ok)
		return;
	hold_both(d, &as.as_user, &as.as_group);
	d->spec.uid = as.as_user.id;
	d->spec.gid = as.as_group.id;
	if (ordinary)
		settings_put_text(&d->set.user, as.as_user.name);
	if (ordinary || !as.group.given)
		settings_put_text(&d->set.group, as.as_group.name);
	if (!ordinary && d->job->report->raised == before)
		warn_power(d, as.as_user.name);
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
