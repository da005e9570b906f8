/* manager.*: what the file says, who that is, and what follows where it says nothing (conf process). */
#include "fcgipm/conf/judge.h"

#include <stdlib.h>
#include <string.h>

static struct spec_place place_at(const struct conf_job *j, enum settings_manager_index i)
{
	const struct spec_place at = j->manager_places[i];

	return at.line != 0 ? at : (struct spec_place){0, 1, 1};
}

static const struct settings_row *row(enum settings_manager_index i)
{
	return &settings_manager_table.rows[i];
}

/* The ordinary user's own name, where root or the manager's account would be the default. */
static void preset_ordinary(struct conf_job *j)
{
	static const enum settings_manager_index own[] = {SETTINGS_AT_MANAGER_control_operators, SETTINGS_AT_MANAGER_control_holders};
	struct conf_account self;
	char digits[16];
	struct fp_text t = FP_TEXT(digits);

	fp_text_add(&t, "%u", j->world->uid);
	if (conf_find_user(&j->world->accounts, digits, &self) < 0)
		return;
	for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		settings_clear(&j->manager, row(own[i]));
		settings_add(&j->manager, row(own[i]), self.name, NULL);
	}
	settings_put_text(&j->manager.user, self.name);
}

static void resolve_own(struct conf_job *j)
{
	struct manager_settings *m = &j->manager;
	const struct spec_place at = place_at(j, SETTINGS_AT_MANAGER_user);
	struct conf_account a;

	if (conf_find_user(&j->world->accounts, m->user, &a) < 0) {
		conf_error(j->report, at, "manager.user: user \"%.64s\" does not exist (\"make install\" creates fcgipm)", m->user);
		return;
	}
	if (j->world->ordinary) {
		if (a.id != j->world->uid)
			conf_warn(j->report, at, "manager.user: %.64s is not you (without root everything runs as you)", m->user);
		a.id = j->world->uid;
		a.gid = j->world->gid;
	} else if (a.id == 0) {
		conf_error(j->report, at, "manager.user: root (an account of its own, such as fcgipm)");
	} else if (a.id == j->world->conf_uid) {
		conf_error(j->report, at, "manager.user: the account that reads the configuration (an account of its own, such as fcgipm)");
	} else if (!a.known) {
		conf_error(j->report, at, "manager.user: %.64s has no group (an account with a name)", m->user);
	} else if (a.gid == 0) {
		conf_error(j->report, at, "manager.user: %.64s is in group 0 (an account of its own, such as fcgipm)", m->user);
	}
	m->uid = a.id;
	m->gid = a.gid;
	settings_put_text(&m->user_name, a.name);
}

static void resolve_control(struct conf_job *j)
{
	struct manager_settings *m = &j->manager;
	const struct {
		enum settings_manager_index at;
		const char *key;
		struct settings_acl *acl;
	} lists[] = {
		{SETTINGS_AT_MANAGER_control_operators, "manager.control.operators", &m->operators_acl},
		{SETTINGS_AT_MANAGER_control_observers, "manager.control.observers", &m->observers_acl},
		{SETTINGS_AT_MANAGER_control_frontends, "manager.control.frontends", &m->frontends_acl},
		{SETTINGS_AT_MANAGER_control_holders, "manager.control.holders", &m->holders_acl},
	};

	for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct settings_list *names = (const void *)((const char *)m + row(lists[i].at)->at);
		const struct conf_peers p = {names, j->manager_places[lists[i].at], lists[i].key, j->manager_nodes[lists[i].at]};

		conf_resolve_peers(j, &p, lists[i].acl);
	}
}

static void check_runtime(struct conf_job *j)
{
	const struct spec_place at = place_at(j, SETTINGS_AT_MANAGER_runtime_directory);
	const char *dir = j->manager.runtime_directory;
	enum { ROOM = SPEC_UNIX_PATH_MAX - sizeof("/control.sock") + 1 };

	if (dir[0] == '\0')
		settings_put_text(&j->manager.runtime_directory, j->world->runtime);
	else if (dir[1] == '\0')
		conf_error(j->report, at, "manager.runtime_directory: the root directory (a directory of its own, such as /run/fcgipm)");
	else if (strlen(dir) > ROOM)
		conf_error(j->report, at, "manager.runtime_directory: too long for the sockets in it (%d bytes at most)", ROOM);
}

static void encode(struct wire_wr *w, const void *m)
{
	settings_manager_encode(w, m);
}

void conf_judge_manager(struct conf_job *j, const struct conf_node *node)
{
	const struct conf_section s = {j->report, &settings_manager_table, &j->manager, j->manager_places, "manager", j->manager_nodes};
	uint32_t before = j->report->raised;

	settings_preset_all(&j->manager, &settings_manager_table, NULL);
	if (j->world->ordinary)
		preset_ordinary(j);
	if (node != NULL)
		conf_section_apply(&s, node);
	check_runtime(j);
	resolve_own(j);
	resolve_control(j);
	if (j->report->raised == before)
		j->manager_blob = conf_encode(j, encode, &j->manager);
	if (j->manager_blob.len > SPEC_SETTINGS_MAX)
		conf_error(j->report, node != NULL ? node->key_place : (struct spec_place){0, 1, 1},
			   "manager: too long: its lists take %zu bytes of %d (name a @group instead of many users)", j->manager_blob.len, SPEC_SETTINGS_MAX);
}
