/* Whether what was found may be run, and as whom.  Pure. */
#ifndef FCGIPM_BROKER_JUDGE_H
#define FCGIPM_BROKER_JUDGE_H

#include <stdint.h>

#include "fcgipm/broker/find.h"
#include "fcgipm/spec/spec.h"
#include "include/fcgipm/refusal.h"

struct broker_ids {
	uint32_t uid, gid;
};

/* The file and the way to it against the profile and fcgipm's own accounts.  FCGIPM_REFUSED_NOT: *ret is as whom it runs. */
enum fcgipm_refusal broker_judge(const struct spec_profile *p, const struct spec_floors *f, const struct broker_found *found, struct broker_ids *ret);

#endif
