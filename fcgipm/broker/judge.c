/* The judgement over a program (fcgipm-start; it calls nothing).  docs/exec.md has the table of what suexec checks beside it. */
#include "fcgipm/broker/judge.h"

#define OTHERS_WRITE (S_IWGRP | S_IWOTH)

struct case_ {
	const struct broker_rule *rule;
	const struct broker_found *found;
	const struct stat *file;
	const struct broker_place *directory;
	struct broker_ids run;
	bool ordinary; /* everything is one account's */
};

static bool owner_fits(const struct case_ *c, uint32_t owner)
{
	switch (c->rule->file_owner) {
	case SPEC_FILE_OF_RUN:
		return owner == c->run.uid;
	case SPEC_FILE_OF_ROOT:
		return owner == 0;
	case SPEC_FILE_OF_ANY:
		return true;
	default:
		return owner == c->run.uid || owner == 0;
	}
}

static enum fcgipm_refusal judge_file(const struct case_ *c)
{
	if (!S_ISREG(c->file->st_mode))
		return FCGIPM_REFUSED_NOT_A_FILE;
	if ((c->file->st_mode & (S_ISUID | S_ISGID)) != 0)
		return FCGIPM_REFUSED_SETID;
	if ((c->file->st_mode & OTHERS_WRITE) != 0)
		return FCGIPM_REFUSED_WRITABLE;
	if (!owner_fits(c, c->file->st_uid))
		return FCGIPM_REFUSED_OWNER;
	return c->rule->file_group && c->file->st_gid != c->run.gid ? FCGIPM_REFUSED_GROUP : FCGIPM_REFUSED_NOT;
}

/* Whoever may write there could put something else in its place. */
static enum fcgipm_refusal judge_directory(const struct case_ *c)
{
	uint32_t owner = c->directory->uid;

	if ((c->directory->mode & OTHERS_WRITE) != 0)
		return FCGIPM_REFUSED_DIRECTORY_WRITABLE;
	return owner == 0 || owner_fits(c, owner) ? FCGIPM_REFUSED_NOT : FCGIPM_REFUSED_DIRECTORY_OWNER;
}

/* A file can be of a group that its owner is not in: a directory gives it its own (setgid), and the file is moved from there.  So the group must be that of the uppermost
 * thing on the way that is the owner's: nobody but root can have put it where it is, and its owner could give it none but a group of his own. */
static enum fcgipm_refusal judge_owners_group(const struct case_ *c)
{
	const struct broker_found *f = c->found;

	for (unsigned i = 1; i < f->depth; i++) {
		if (f->way[i].uid != c->run.uid)
			continue;
		return (f->way[i - 1].mode & OTHERS_WRITE) == 0 && f->way[i].gid == c->run.gid ? FCGIPM_REFUSED_NOT : FCGIPM_REFUSED_GROUP;
	}
	return FCGIPM_REFUSED_NOT; /* the file itself: its directory has been judged */
}

static bool is_own(const struct case_ *c)
{
	const struct broker_rule *r = c->rule;

	return c->run.uid == r->manager.uid || c->run.uid == r->conf.uid || c->run.gid == r->manager.gid || c->run.gid == r->conf.gid;
}

static enum fcgipm_refusal judge_account(const struct case_ *c)
{
	if (c->ordinary)
		return c->run.uid == c->rule->ordinary_uid ? FCGIPM_REFUSED_NOT : FCGIPM_REFUSED_OWNER;
	if (c->run.uid == 0 || c->run.gid == 0)
		return FCGIPM_REFUSED_ROOT;
	if (is_own(c))
		return FCGIPM_REFUSED_OWN_ACCOUNT;
	if (c->run.uid < c->rule->min_uid)
		return FCGIPM_REFUSED_MIN_UID;
	if (c->run.gid < c->rule->min_gid)
		return FCGIPM_REFUSED_MIN_GID;
	if (!c->rule->owner)
		return FCGIPM_REFUSED_NOT;
	return c->found->foreign ? FCGIPM_REFUSED_FILE_SYSTEM : judge_owners_group(c);
}

struct broker_rule broker_rule_of(const struct spec_profile *p, const struct spec_floors *f)
{
	return (struct broker_rule){
		.run = {p->uid, p->gid},
		.min_uid = p->min_uid,
		.min_gid = p->min_gid,
		.manager = {f->manager_uid, f->manager_gid},
		.conf = {f->conf_uid, f->conf_gid},
		.ordinary_uid = f->ordinary_uid,
		.file_owner = p->file_owner,
		.owner = p->owner,
		.file_group = p->file_group,
	};
}

enum fcgipm_refusal broker_judge(const struct broker_rule *rule, const struct broker_found *found, struct broker_ids *ret)
{
	const struct case_ c = {
		.rule = rule,
		.found = found,
		.file = &found->st,
		.directory = &found->way[found->depth - 1],
		.run = rule->owner ? (struct broker_ids){found->st.st_uid, found->st.st_gid} : rule->run,
		.ordinary = rule->ordinary_uid != UINT32_MAX,
	};
	enum fcgipm_refusal r = judge_file(&c);

	if (r == FCGIPM_REFUSED_NOT)
		r = judge_directory(&c);
	if (r == FCGIPM_REFUSED_NOT)
		r = judge_account(&c);
	if (r == FCGIPM_REFUSED_NOT)
		*ret = c.run;
	return r;
}
