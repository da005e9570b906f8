/* Who is at the other end of a unix socket, as the kernel says. */
#ifndef FCGIPM_PROBE_PEER_H
#define FCGIPM_PROBE_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROBE_GROUPS_MAX = 256 };

/* Of the process that connected, at that time. */
struct probe_peer {
	uint32_t uid, gid;
	pid_t pid;
	uint32_t count; /* supplementary groups; of one that has more than PROBE_GROUPS_MAX none count */
	uint32_t groups[PROBE_GROUPS_MAX];
};

/* From SO_PEERCRED and SO_PEERGROUPS.  0; -EPERM for the overflow uid, which is everybody whom this user namespace cannot name; or -errno. */
int probe_peer(int sock, struct probe_peer *ret);

/* Whether the process that connected is ancestor or descends from it, by its parents as they are now: 0 only when they were followed to the first process.  -ESRCH: it has ended
 * meanwhile, so that its number may be another's; -ELOOP: more than 1,024; or -errno.  SO_PEERPIDFD (Linux 6.5) says so for certain; before that a process that ended before this call passes for whoever has
 * its number now. */
int probe_peer_descends(int sock, pid_t pid, pid_t ancestor);

/* The same of a process that is known to live. */
int probe_descends(pid_t pid, pid_t ancestor);

#endif
