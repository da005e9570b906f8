/* Whether what was found may be run, and as whom.  Pure. */
#ifndef FCGIPM_BROKER_JUDGE_H
#define FCGIPM_BROKER_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/broker/find.h"
#include "fcgipm/spec/spec.h"
#include "include/fcgipm/refusal.h"

struct broker_ids {
	uint32_t uid, gid;
};

/* What counts of a profile, and fcgipm's own accounts.  Plain bytes, which can be handed to another process. */
struct broker_rule {
	struct broker_ids run; /* without owner */
	uint32_t min_uid, min_gid;
	struct broker_ids manager, conf; /* nobody's but theirs */
	uint32_t ordinary_uid; /* the only one there is; UINT32_MAX: the launcher is root's */
	uint8_t file_owner; /* enum spec_file_owner */
	bool owner; /* it runs as the program's owner and in its group */
	bool file_group; /* the program must be of the group that it runs in */
};
struct broker_rule broker_rule_of(const struct spec_profile *p, const struct spec_floors *f);

/* The file and the way to it against the rule.  FCGIPM_REFUSED_NOT: *ret is as whom it runs. */
enum fcgipm_refusal broker_judge(const struct broker_rule *rule, const struct broker_found *found, struct broker_ids *ret);

#endif
