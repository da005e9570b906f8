/* What fcgipm-start is to find for a run, and to judge, as the launcher tells it: plain bytes, a multiple of 8 (priv_jail.search).  Path and chroot are the jail's. */
#ifndef FCGIPM_BROKER_ERRAND_H
#define FCGIPM_BROKER_ERRAND_H

#include <stdint.h>

#include "fcgipm/broker/judge.h"

struct broker_errand {
	uint64_t literal; /* broker_way.literal */
	struct broker_rule rule;
	uint32_t given; /* bit N: descriptor N comes with the request that is first in the client's socket */
} __attribute__((aligned(8)));

/* What it reports as PRIV_STEP_CHECK: the refusal, and of FCGIPM_REFUSED_STEP the errno above it. */
enum { BROKER_ERRNO_SHIFT = 8 };

#endif
