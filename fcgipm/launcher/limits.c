/* Which limit of a specification is which of setrlimit(2) (launcher process). */
#include "fcgipm/launcher/limits.h"

#include <sys/resource.h>

static const int rlimits[SPEC_LIMITS] = {
	[SPEC_LIMIT_NOFILE] = RLIMIT_NOFILE, [SPEC_LIMIT_NPROC] = RLIMIT_NPROC, [SPEC_LIMIT_CORE] = RLIMIT_CORE,
	[SPEC_LIMIT_AS] = RLIMIT_AS,         [SPEC_LIMIT_CPU] = RLIMIT_CPU,
};

void limits_add(const uint64_t limits[SPEC_LIMITS], struct priv_jail *j)
{
	for (unsigned i = 0; i < SPEC_LIMITS; i++) {
		if (limits[i] == SPEC_LIMIT_INHERIT)
			continue;
		j->limits[j->limit_count].resource = rlimits[i];
		j->limits[j->limit_count++].value = limits[i];
	}
}
