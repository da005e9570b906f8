/* What the launcher tells fcgipm-start to make of itself: a jail, and behind it what it points to.  Arguments and environment are not in it: exec hands them on. */
#ifndef FCGIPM_PRIV_JOB_H
#define FCGIPM_PRIV_JOB_H

#include "fcgipm/priv/jail.h"

enum { PRIV_JOB_MAX = 64 << 10 };

struct priv_job {
	char bytes[PRIV_JOB_MAX];
} __attribute__((aligned(16)));

/* Sends all of it at once.  0 or -errno. */
int priv_job_send(int sock, const struct priv_jail *j);
/* *ret points into job; argv, envp and descriptors are not set.  0, or -errno: -EPROTO for what is no job. */
int priv_job_receive(int sock, struct priv_job *job, struct priv_jail *ret);

#endif
