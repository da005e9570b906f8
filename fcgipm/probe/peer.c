/* The other end of a unix socket (manager and launcher process). */
#include "fcgipm/probe/peer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

enum { DEPTH_MAX = 1024 };

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

int probe_peer(int sock, struct probe_peer *ret)
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

/* 0: it has none that this namespace can see; -errno: it is not known. */
static pid_t parent_of(pid_t pid)
{
	char path[64], line[128];
	int parent = -ESRCH;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return -errno;
	while (parent < 0 && fgets(line, sizeof(line), f) != NULL)
		sscanf(line, "PPid: %d", &parent);
	fclose(f);
	return parent;
}

int probe_descends(pid_t pid, pid_t ancestor)
{
	for (int depth = 0; depth < DEPTH_MAX && pid > 1; depth++) {
		if (pid == ancestor)
			return 1;
		pid = parent_of(pid);
	}
	return pid > 1 ? -ELOOP : pid < 0 ? pid : 0;
}

static int open_peer(int sock, pid_t pid)
{
	int fd = -1;
	socklen_t len = sizeof(fd);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERPIDFD, &fd, &len) == 0)
		return fd;
	if (errno == ENOPROTOOPT)
		fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return fd < 0 ? -errno : fd;
}

int probe_peer_descends(int sock, pid_t pid, pid_t ancestor)
{
	fp_autoclose int pidfd = open_peer(sock, pid);
	struct pollfd ended = {.fd = pidfd, .events = POLLIN};
	int descends;

	if (pidfd < 0)
		return pidfd == -EINVAL ? -ESRCH : pidfd; /* it was reaped before */
	descends = probe_descends(pid, ancestor);
	if (descends == 0) /* an ancestor may have ended in between, and its number be another's: nobody is so unlucky twice */
		descends = probe_descends(pid, ancestor);
	return poll(&ended, 1, 0) != 0 ? -ESRCH : descends;
}
