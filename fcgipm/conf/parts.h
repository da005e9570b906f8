/* What has names of its own in any file: pools, profiles. */
#ifndef FCGIPM_CONF_PARTS_H
#define FCGIPM_CONF_PARTS_H

#include "fcgipm/conf/judge.h"

struct conf_part {
	const char *name;
	const struct conf_node *node;
};

struct conf_kind {
	const char *key; /* at the top of a file: "pools" */
	bool (*is_name)(const char *name);
	void (*refuse_name)(struct conf_job *j, const struct conf_node *n); /* says what is wrong with it */
};

/* Those of all files in order of name.  A name that two files give is an error in the later one, which is left out.  *ret is the arena's. */
uint32_t conf_parts_collect(struct conf_job *j, const struct conf_kind *kind, struct conf_part **ret);

#endif
