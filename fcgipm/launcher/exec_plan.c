/* Plans of runs (launcher process). */
#include "fcgipm/launcher/exec_plan.h"

#include <string.h>

#include "fcgipm/broker/roots.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/limits.h"
#include "fcgipm/launcher/profile.h"

/* The client's word; the profile's is stronger. */
static enum fcgipm_refusal choose_directory(struct exec_plan *plan, const char *asked)
{
	if (plan->spec->directory[0] != '\0')
		asked = plan->spec->directory;
	if (asked[0] != '\0' && !spec_path_ok(asked))
		return FCGIPM_REFUSED_DIRECTORY_FORM;
	memcpy(plan->directory, asked, strlen(asked) + 1);
	return FCGIPM_REFUSED_NOT;
}

enum fcgipm_refusal exec_plan_make(const struct launcher *l, const struct profile *p, const struct exec_wish *w, struct exec_plan *plan)
{
	const struct spec_floors floors = {
		.manager_uid = l->manager.uid,
		.manager_gid = l->manager.gid,
		.conf_uid = l->conf.uid,
		.conf_gid = l->conf.gid,
		.ordinary_uid = l->ordinary ? l->self.uid : UINT32_MAX,
	};
	enum fcgipm_refusal no;
	size_t literal;

	*plan = (struct exec_plan){.spec = &p->spec, .errand = {.rule = broker_rule_of(&p->spec, &floors), .given = w->given}};
	no = broker_words_read(w->words, plan->spec, &plan->words);
	if (no != FCGIPM_REFUSED_NOT)
		return no;
	if (broker_root_of(plan->spec->roots, plan->words.argv[0], &literal) == NULL)
		return FCGIPM_REFUSED_OUTSIDE;
	plan->errand.literal = literal;
	return choose_directory(plan, w->directory);
}

/* ---- what it is told ---- */

void exec_plan_jail(const struct launcher *l, const struct exec_plan *plan, struct priv_jail *j)
{
	const struct spec_profile *s = plan->spec;

	*j = (struct priv_jail){
		.new_session = true,
		.change_account = !l->ordinary,
		.groups = s->groups.ids,
		.group_count = s->groups.count,
		.chroot = s->chroot,
		.directory = plan->directory,
		.umask = s->umask,
		.nice = s->nice != 0 ? s->nice : l->nice,
		.capabilities = s->capabilities,
		.no_new_privs = s->no_new_privileges,
		.exec_fd = -1,
		.path = plan->words.argv[0],
		.argv = plan->words.argv,
		.envp = plan->words.envp,
		.search = &plan->errand,
		.search_size = sizeof(plan->errand),
		.client_fd = plan->errand.given != 0 ? plan->sock : 0,
	};
	limits_add(s->limits, j);
}
