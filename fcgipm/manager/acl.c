/* Clients' identity (manager process): the kernel says it, the settings say what follows. */
#include "fcgipm/manager/acl.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

static uint32_t overflow_uid(void)
{
	unsigned uid = 65534;
	FILE *f = fopen("/proc/sys/kernel/overflowuid", "re");

	if (f == NULL)
		return uid;
	if (fscanf(f, "%u", &uid) != 1)
		uid = 65534;
	fclose(f);
	return uid;
}

int acl_peer(int sock, struct acl_peer *ret)
{
	struct ucred cred;
	socklen_t len = sizeof(cred), groups_len = sizeof(ret->groups);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	if (cred.uid == overflow_uid())
		return -EPERM;
	ret->uid = cred.uid;
	ret->gid = cred.gid;
	ret->pid = cred.pid;
	if (getsockopt(sock, SOL_SOCKET, SO_PEERGROUPS, ret->groups, &groups_len) < 0)
		groups_len = 0; /* more than we would look at: the primary group is left */
	ret->count = groups_len / sizeof(uint32_t);
	return 0;
}

static bool ids_have(const struct settings_ids *ids, uint32_t id)
{
	for (uint32_t i = 0; i < ids->count; i++)
		if (ids->ids[i] == id)
			return true;
	return false;
}

bool acl_names(const struct settings_acl *acl, const struct acl_peer *p)
{
	if (ids_have(&acl->uids, p->uid) || ids_have(&acl->gids, p->gid))
		return true;
	for (uint32_t i = 0; i < p->count; i++)
		if (ids_have(&acl->gids, p->groups[i]))
			return true;
	return false;
}
