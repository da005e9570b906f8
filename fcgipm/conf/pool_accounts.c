/* A pool's accounts: whose its workers are, and who may lease it (conf process). */
#include "fcgipm/conf/pool.h"

#include <string.h>

#include "fcgipm/base/hash.h"
#include "fcgipm/conf/run_as.h"

static const struct settings_row *row(enum settings_pool_index i)
{
	return &settings_pool_table.rows[i];
}

static struct conf_value value(const struct conf_draft *d, enum settings_pool_index i, const char *text)
{
	struct conf_value v = {.text = text, .given = conf_draft_given(d, i), .place = conf_draft_place(d, i)};

	conf_draft_key(d, i, &v.key);
	return v;
}

static bool run_as(struct conf_draft *d, struct conf_run_as *ret)
{
	struct settings_list *names = &d->set.groups;
	bool ok;

	*ret = (struct conf_run_as){
		.job = d->job,
		.each = "pool",
		.own = "pool's",
		.user = value(d, SETTINGS_AT_POOL_user, d->set.user),
		.group = value(d, SETTINGS_AT_POOL_group, d->set.group),
		.groups = value(d, SETTINGS_AT_POOL_groups, ""),
		.names = names,
		.node = d->nodes[SETTINGS_AT_POOL_groups],
		.ids = d->spec.groups,
	};
	ok = conf_run_as(ret);
	if (!ret->user.given && !d->job->world->ordinary) {
		conf_error(d->job->report, d->pool->node->key_place, "pools.%s: no user (the account of its workers, such as user: alice)", d->pool->name);
		ok = false;
	}
	d->spec.group_count = ret->count;
	if (d->job->world->ordinary)
		settings_clear(&d->set, row(SETTINGS_AT_POOL_groups));
	names->hash = fp_hash(FP_HASH_INIT, d->spec.groups, d->spec.group_count * sizeof(d->spec.groups[0]));
	return ok;
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
	bool ordinary = d->job->world->ordinary;
	struct conf_run_as as;

	resolve_frontends(d);
	if (!run_as(d, &as))
		return;
	d->spec.uid = d->set.uid = as.as_user.id;
	d->spec.gid = d->set.gid = as.as_group.id;
	if (!as.user.given || ordinary)
		settings_put_text(&d->set.user, as.as_user.name);
	if (!as.group.given || ordinary)
		settings_put_text(&d->set.group, as.as_group.name);
	settings_put_text(&d->set.user_name, as.as_user.name);
	if (!ordinary)
		warn_power(d);
}
