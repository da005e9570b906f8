/* Who a client is, and what it may.  Pure but for acl_peer. */
#ifndef FCGIPM_MANAGER_ACL_H
#define FCGIPM_MANAGER_ACL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fcgipm/settings/table.h"

enum { ACL_GROUPS_MAX = 256 };

struct acl_peer {
	uint32_t uid, gid;
	pid_t pid;
	uint32_t count; /* supplementary groups; more than ACL_GROUPS_MAX: the rest do not count */
	uint32_t groups[ACL_GROUPS_MAX];
};

/* From SO_PEERCRED and SO_PEERGROUPS.  -EPERM for the overflow uid, which is everybody whom this user namespace cannot name. */
int acl_peer(int sock, struct acl_peer *ret);
bool acl_names(const struct settings_acl *acl, const struct acl_peer *p);

#endif
