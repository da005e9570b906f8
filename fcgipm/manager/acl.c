/* Clients' identity (manager process): the kernel says it, the settings say what follows. */
#include "fcgipm/manager/acl.h"

static bool ids_have(const struct settings_ids *ids, uint32_t id)
{
	for (uint32_t i = 0; i < ids->count; i++)
		if (ids->ids[i] == id)
			return true;
	return false;
}

bool acl_names(const struct settings_acl *acl, const struct probe_peer *p)
{
	if (ids_have(&acl->uids, p->uid) || ids_have(&acl->gids, p->gid))
		return true;
	for (uint32_t i = 0; i < p->count; i++)
		if (ids_have(&acl->gids, p->groups[i]))
			return true;
	return false;
}
