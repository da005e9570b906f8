/* The judgement over a program (a child of the launcher, between fork and exec; it calls nothing).  docs/exec.md has the table of what suexec checks beside it. */
#include "fcgipm/broker/judge.h"

#include <stdbool.h>

#define OTHERS_WRITE (S_IWGRP | S_IWOTH)

struct case_ {
	const struct spec_profile *p;
	const struct spec_floors *f;
	const struct broker_found *found;
	const struct stat *file;
	const struct broker_place *directory;
	struct broker_ids run;
	bool ordinary; /* everything is one account's */
};

static bool owner_fits(const struct case_ *c, uint32_t owner)
{
	switch (c->p->file_owner) {
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
	return c->p->file_group && c->file->st_gid != c->run.gid ? FCGIPM_REFUSED_GROUP : FCGIPM_REFUSED_NOT;
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
	const struct spec_floors *f = c->f;

	return c->run.uid == f->manager_uid || c->run.uid == f->conf_uid || c->run.gid == f->manager_gid || c->run.gid == f->conf_gid;
}

static enum fcgipm_refusal judge_account(const struct case_ *c)
{
	if (c->ordinary)
		return c->run.uid == c->f->ordinary_uid ? FCGIPM_REFUSED_NOT : FCGIPM_REFUSED_OWNER;
	if (c->run.uid == 0 || c->run.gid == 0)
		return FCGIPM_REFUSED_ROOT;
	if (is_own(c))
		return FCGIPM_REFUSED_OWN_ACCOUNT;
	if (c->run.uid < c->p->min_uid)
		return FCGIPM_REFUSED_MIN_UID;
	if (c->run.gid < c->p->min_gid)
		return FCGIPM_REFUSED_MIN_GID;
	if (!c->p->owner)
		return FCGIPM_REFUSED_NOT;
	return c->found->foreign ? FCGIPM_REFUSED_FILE_SYSTEM : judge_owners_group(c);
}

enum fcgipm_refusal broker_judge(const struct spec_profile *p, const struct spec_floors *f, const struct broker_found *found, struct broker_ids *ret)
{
	const struct case_ c = {
		.p = p,
		.f = f,
		.found = found,
		.file = &found->st,
		.directory = &found->way[found->depth - 1],
		.run = {p->owner ? found->st.st_uid : p->uid, p->owner ? found->st.st_gid : p->gid},
		.ordinary = f->ordinary_uid != UINT32_MAX,
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
