/* The judgement over a program (a child of the launcher, between fork and exec; it calls nothing).  docs/exec.md has the table of what suexec checks beside it. */
#include "fcgipm/broker/judge.h"

#include <stdbool.h>

#define OTHERS_WRITE (S_IWGRP | S_IWOTH)

struct case_ {
	const struct spec_profile *p;
	const struct spec_floors *f;
	const struct stat *file, *directory;
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
	uint32_t owner = c->directory->st_uid;

	if ((c->directory->st_mode & OTHERS_WRITE) != 0)
		return FCGIPM_REFUSED_DIRECTORY_WRITABLE;
	return owner == 0 || owner_fits(c, owner) ? FCGIPM_REFUSED_NOT : FCGIPM_REFUSED_DIRECTORY_OWNER;
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
	return c->run.gid < c->p->min_gid ? FCGIPM_REFUSED_MIN_GID : FCGIPM_REFUSED_NOT;
}

enum fcgipm_refusal broker_judge(const struct spec_profile *p, const struct spec_floors *f, const struct stat *file, const struct stat *directory,
				 struct broker_ids *ret)
{
	const struct case_ c = {
		.p = p,
		.f = f,
		.file = file,
		.directory = directory,
		.run = {p->owner ? file->st_uid : p->uid, p->owner ? file->st_gid : p->gid},
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
