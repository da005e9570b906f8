/* User, group and groups: accounts that exist, none above the launcher's floors (conf process). */
#include "fcgipm/conf/run_as.h"

#include <stdarg.h>

static void say(const struct conf_run_as *r, bool warning, const struct conf_value *v, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void say(const struct conf_run_as *r, bool warning, const struct conf_value *v, const char *fmt, ...)
{
	char text[CONF_TEXT_MAX];
	struct fp_text t = FP_TEXT(text);
	va_list ap;

	va_start(ap, fmt);
	fp_text_vadd(&t, fmt, ap);
	va_end(ap);
	(warning ? conf_warn_once : conf_error_once)(r->job->report, v->place, "%s: %s", v->key, text);
}
#define ERROR(r, v, ...) say(r, false, v, __VA_ARGS__)
#define WARN(r, v, ...)  say(r, true, v, __VA_ARGS__)

int conf_self(const struct conf_job *j, struct conf_account *ret)
{
	char digits[16];
	struct fp_text t = FP_TEXT(digits);
	int r;

	fp_text_add(&t, "%u", j->world->uid);
	r = conf_find_user(&j->world->accounts, digits, ret);
	ret->gid = j->world->gid;
	return r;
}

static int find_user(struct conf_run_as *r)
{
	if (!r->user.given)
		return r->job->world->ordinary ? conf_self(r->job, &r->as_user) : -1;
	if (r->user.text[0] == '\0')
		return -1;
	return conf_resolve_user(r->job, r->user.place, r->user.key, r->user.text, &r->as_user);
}

/* False when it is refused: then its groups and powers are no news. */
static bool check_user(struct conf_run_as *r)
{
	const struct conf_world *w = r->job->world;
	uint32_t before = r->job->report->raised;

	if (w->ordinary) {
		if (r->as_user.id != w->uid)
			WARN(r, &r->user, "%s is not you (without root every %s runs as you)", r->as_user.name, r->each);
		conf_self(r->job, &r->as_user);
	} else if (r->as_user.id == 0) {
		ERROR(r, &r->user, "root (an account without privileges)");
	} else if (conf_is_own_user(r->job, r->as_user.id)) {
		ERROR(r, &r->user, "fcgipm's own account (an account of the %s own)", r->own);
	}
	return r->job->report->raised == before;
}

/* True when it was refused. */
static bool is_below_floor(const struct conf_run_as *r, const struct conf_value *v, uint32_t gid)
{
	if (gid == 0)
		ERROR(r, v, "group 0 (a group without privileges)");
	else if (conf_is_own_group(r->job, gid))
		ERROR(r, v, "fcgipm's own group (a group of the %s own)", r->own);
	else
		return false;
	return true;
}

/* The value that the group stands in, or follows from. */
static const struct conf_value *group_value(const struct conf_run_as *r)
{
	return r->group.given ? &r->group : &r->user;
}

static int find_group(struct conf_run_as *r)
{
	if (r->group.given)
		return r->group.text[0] == '\0' ? -1 : conf_resolve_group(r->job, r->group.place, r->group.key, r->group.text, &r->as_group);
	if (!r->as_user.known && !r->job->world->ordinary) {
		ERROR(r, &r->user, "a number without an account has no primary group (give group as well)");
		return -1;
	}
	conf_group_of(&r->job->world->accounts, r->as_user.gid, &r->as_group);
	return 0;
}

static void check_group(struct conf_run_as *r)
{
	const struct conf_world *w = r->job->world;

	if (!w->ordinary) {
		is_below_floor(r, group_value(r), r->as_group.id);
		return;
	}
	if (r->as_group.id == w->gid)
		return;
	WARN(r, &r->group, "%s is not your group (without root it is)", r->as_group.name);
	conf_group_of(&w->accounts, w->gid, &r->as_group);
}

static void add_group(struct conf_run_as *r, const char *text)
{
	struct conf_value item = r->groups;
	struct conf_account g;

	item.place = conf_item_place(r->node, text, r->groups.place);
	if (conf_resolve_group(r->job, item.place, item.key, text, &g) < 0 || is_below_floor(r, &item, g.id))
		return;
	if (r->count == SPEC_GROUPS_MAX)
		ERROR(r, &r->groups, "too many (256 at most)");
	else
		r->ids[r->count++] = g.id;
}

static void resolve_groups(struct conf_run_as *r)
{
	if (r->job->world->ordinary && r->names->count > 0) {
		WARN(r, &r->groups, "needs root (left as yours are)");
		return;
	}
	for (uint32_t i = 0; i < r->names->count; i++)
		add_group(r, r->names->items[i]);
}

bool conf_run_as(struct conf_run_as *r)
{
	resolve_groups(r);
	if (find_user(r) < 0 || !check_user(r) || find_group(r) < 0)
		return false;
	check_group(r);
	return true;
}
