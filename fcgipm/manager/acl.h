/* What a client may.  Pure. */
#ifndef FCGIPM_MANAGER_ACL_H
#define FCGIPM_MANAGER_ACL_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/probe/peer.h"
#include "fcgipm/settings/table.h"

bool acl_names(const struct settings_acl *acl, const struct probe_peer *p);

#endif
