/* From what a client asks for to what a child is to do (launcher process): everything that can be known before the program's file has been looked at. */
#ifndef FCGIPM_LAUNCHER_EXEC_PLAN_H
#define FCGIPM_LAUNCHER_EXEC_PLAN_H

#include "fcgipm/broker/errand.h"
#include "fcgipm/broker/words.h"
#include "fcgipm/priv/jail.h"
#include "fcgipm/spec/spec.h"

struct launcher;
struct profile;
struct exec_wish;

/* Everything about a program but its file. */
struct exec_plan {
	const struct spec_profile *spec;
	struct broker_words words;
	struct broker_errand errand;
	char directory[SPEC_PATH_MAX + 1]; /* "": that of the program */
	int sock; /* the client's, where the request still is, with its descriptors */
};

/* FCGIPM_REFUSED_NOT, or why not.  plan->words is to be freed in any case (broker_words_free); the plan points into profile and wish. */
enum fcgipm_refusal exec_plan_make(const struct launcher *l, const struct profile *p, const struct exec_wish *w, struct exec_plan *plan);
/* The jail of a process that finds the program itself.  It points into the plan.  Descriptors and cgroup are the caller's to fill in. */
void exec_plan_jail(const struct launcher *l, const struct exec_plan *plan, struct priv_jail *j);

#endif
