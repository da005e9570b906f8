/* Plans of runs (launcher process, and its children between fork and exec). */
#include "fcgipm/launcher/exec_plan.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fcgipm/broker/judge.h"
#include "fcgipm/broker/roots.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/profile.h"
#include "fcgipm/wire/dgram.h"

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
	enum fcgipm_refusal no;

	*plan = (struct exec_plan){.spec = &p->spec,
				   .floors = {.manager_uid = l->manager.uid,
					      .manager_gid = l->manager.gid,
					      .conf_uid = l->conf.uid,
					      .conf_gid = l->conf.gid,
					      .ordinary_uid = l->ordinary ? l->self.uid : UINT32_MAX}};
	no = broker_words_read(w->words, plan->spec, &plan->words);
	if (no != FCGIPM_REFUSED_NOT)
		return no;
	plan->given = w->given;
	plan->way = (struct broker_way){.chroot = plan->spec->chroot, .path = plan->words.argv[0]};
	if (broker_root_of(plan->spec->roots, plan->way.path, &plan->way.literal) == NULL)
		return FCGIPM_REFUSED_OUTSIDE;
	return choose_directory(plan, w->directory);
}

/* ---- in the child ---- */

static int refuse(struct priv_report *ret, enum fcgipm_refusal no)
{
	ret->error = (int32_t)no | (no == FCGIPM_REFUSED_STEP ? errno << EXEC_PLAN_ERRNO_SHIFT : 0);
	return -1;
}

/* The client's, from its socket. */
static bool take_descriptors(const struct exec_plan *plan, struct priv_jail *j)
{
	int fds[WIRE_FDS_MAX], count = 0, at = 0;

	if (plan->given == 0)
		return true;
	for (unsigned i = 0; i < 3; i++)
		count += plan->given >> i & 1;
	if (wire_recv_fds(plan->sock, &fds) != count)
		return false;
	for (unsigned i = 0; i < 3; i++)
		if ((plan->given >> i & 1) != 0)
			j->stdio[i] = fds[at++];
	return true;
}

/* What is found stays open until exec. */
static int find_program(struct priv_jail *j, struct priv_report *ret)
{
	const struct exec_plan *plan = j->prepare_arg;
	struct broker_found found;
	struct broker_ids ids;
	enum fcgipm_refusal no = take_descriptors(plan, j) ? broker_find(&plan->way, &found) : FCGIPM_REFUSED_MALFORMED;

	if (no == FCGIPM_REFUSED_NOT)
		no = broker_judge(plan->spec, &plan->floors, &found, &ids);
	if (no != FCGIPM_REFUSED_NOT)
		return refuse(ret, no);
	j->uid = ids.uid;
	j->gid = ids.gid;
	j->exec_fd = found.file;
	if (plan->directory[0] == '\0')
		j->directory_fd = found.dir;
	return 0;
}

/* ---- what it is told ---- */

static const int rlimits[SPEC_LIMITS] = {
	[SPEC_LIMIT_NOFILE] = RLIMIT_NOFILE, [SPEC_LIMIT_NPROC] = RLIMIT_NPROC, [SPEC_LIMIT_CORE] = RLIMIT_CORE,
	[SPEC_LIMIT_AS] = RLIMIT_AS,         [SPEC_LIMIT_CPU] = RLIMIT_CPU,
};

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
		.prepare = find_program,
		.prepare_arg = plan,
	};
	for (unsigned i = 0; i < SPEC_LIMITS; i++) {
		if (s->limits[i] == SPEC_LIMIT_INHERIT)
			continue;
		j->limits[j->limit_count].resource = rlimits[i];
		j->limits[j->limit_count++].value = s->limits[i];
	}
}
