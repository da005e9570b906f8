/* Accounts of the configuration by name and number, with findings (conf process). */
#include "fcgipm/conf/judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sought {
	struct spec_place place;
	const char *key, *kind, *text; /* kind: "user" or "group" */
};

static int answer(struct conf_job *j, const struct sought *s, int r)
{
	if (r == -ERANGE)
		conf_error_once(j->report, s->place, "%s: %s \"%.64s\" is no number of an account (0 to 4294967294)", s->key, s->kind, s->text);
	else if (r < 0)
		conf_error_once(j->report, s->place, "%s: %s \"%.64s\" does not exist (%sadd makes it; or another name or number)", s->key, s->kind, s->text,
				s->kind);
	return r < 0 ? -1 : 0;
}

int conf_resolve_user(struct conf_job *j, struct spec_place place, const char *key, const char *text, struct conf_account *ret)
{
	return answer(j, &(struct sought){place, key, "user", text}, conf_find_user(&j->world->accounts, text, ret));
}

int conf_resolve_group(struct conf_job *j, struct spec_place place, const char *key, const char *text, struct conf_account *ret)
{
	return answer(j, &(struct sought){place, key, "group", text}, conf_find_group(&j->world->accounts, text, ret));
}

static void add_id(struct settings_ids *ids, uint32_t id)
{
	uint32_t *more = reallocarray(ids->ids, (size_t)ids->count + 1, sizeof(*more));

	if (more == NULL)
		return;
	ids->ids = more;
	ids->ids[ids->count++] = id;
}

static void resolve_peer(struct conf_job *j, const struct conf_peers *p, const char *name, struct settings_acl *ret)
{
	const struct spec_place place = conf_item_place(p->node, name, p->place);
	bool group = name[0] == '@';
	struct conf_account a;
	int r;

	if (p->place.line == 0)
		r = group ? conf_find_group(&j->world->accounts, name + 1, &a) : conf_find_user(&j->world->accounts, name, &a);
	else if (group)
		r = conf_resolve_group(j, place, p->key, name + 1, &a);
	else
		r = conf_resolve_user(j, place, p->key, name, &a);
	if (r == 0)
		add_id(group ? &ret->gids : &ret->uids, a.id);
}

void conf_resolve_peers(struct conf_job *j, const struct conf_peers *p, struct settings_acl *ret)
{
	for (uint32_t i = 0; i < p->names->count; i++)
		resolve_peer(j, p, p->names->items[i], ret);
}

static bool has_id(const struct settings_ids *ids, uint32_t id)
{
	for (uint32_t i = 0; i < ids->count; i++)
		if (ids->ids[i] == id)
			return true;
	return false;
}

bool conf_acl_names(const struct settings_acl *acl, const struct conf_who *who)
{
	bool found = has_id(&acl->uids, who->uid) || has_id(&acl->gids, who->gid);

	for (uint32_t i = 0; i < who->group_count && !found; i++)
		found = has_id(&acl->gids, who->groups[i]);
	return found;
}

const char *conf_power_of(const struct conf_job *j, const struct conf_who *who, const char **ret_list)
{
	const struct manager_settings *m = &j->manager;
	const struct {
		const struct settings_acl *acl;
		const char *list, *power;
	} powers[] = {
		{&m->operators_acl, "manager.control.operators", "change every pool"},
		{&m->holders_acl, "manager.control.holders", "shut down every listener"},
		{&m->frontends_acl, "manager.control.frontends", "connect to every pool"},
	};

	for (unsigned i = 0; i < sizeof(powers) / sizeof(powers[0]); i++) {
		if (!conf_acl_names(powers[i].acl, who))
			continue;
		*ret_list = powers[i].list;
		return powers[i].power;
	}
	return NULL;
}

struct wire_blob conf_encode(struct conf_job *j, void (*encode)(struct wire_wr *w, const void *what), const void *what)
{
	struct wire_blob blob = {0};

	for (size_t cap = 8192; cap <= ((size_t)64 << 20); cap *= 2) {
		struct wire_wr w = {.at = malloc(cap), .cap = cap};

		if (w.at == NULL)
			break;
		encode(&w, what);
		if (!w.bad)
			blob = (struct wire_blob){(const uint8_t *)fp_arena_copy(&j->arena, (const char *)w.at, w.len), w.len};
		free(w.at);
		if (!w.bad)
			break;
	}
	return blob;
}
