/* The status (wire/status.h): one look at everything, as a sealed memfd.  It comes from the manager alone, so it answers when every worker is busy. */
#ifndef FCGIPM_MANAGER_SNAPSHOT_H
#define FCGIPM_MANAGER_SNAPSHOT_H

struct manager;

/* Of one pool, or of all when pool is "".  0 or -errno. */
int snapshot_make(struct manager *m, const char *pool, int *ret_fd);

#endif
