/* Sees one pool's world with the account's own rights, resolved below its chroot without entering it. */
#ifndef FCGIPM_LOOK_LOOK_H
#define FCGIPM_LOOK_LOOK_H

#include "fcgipm/look/report.h"
#include "fcgipm/spec/spec.h"

/* Reports what keeps the pool from running: chroot, directory, command and interpreters.  deep: also its libraries, and as warnings what its language, names,
 * TLS and so on are known to need. */
void look_at_pool(const struct spec_pool *p, bool deep, struct look_report *report);

#endif
