/* The limits of a pool or a profile, as a jail has them (launcher process). */
#ifndef FCGIPM_LAUNCHER_LIMITS_H
#define FCGIPM_LAUNCHER_LIMITS_H

#include <stdint.h>

#include "fcgipm/priv/jail.h"
#include "fcgipm/spec/spec.h"

/* Adds them to those of the jail; SPEC_LIMIT_INHERIT leaves one as the launcher has it. */
void limits_add(const uint64_t limits[SPEC_LIMITS], struct priv_jail *j);

#endif
