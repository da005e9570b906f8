/* File work with care: who may have meddled with the way to a file decides with whose rights it is done. */
#ifndef FCGIPM_PRIV_FILES_H
#define FCGIPM_PRIV_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fcgipm/base/err.h"

/* With whose rights the last component of an absolute path may be touched. */
enum priv_way {
	PRIV_WAY_OWN,     /* every directory on the way is root's (or our own uid's) and writable by no other, unless sticky */
	PRIV_WAY_ACCOUNT, /* some directory belongs to the account: only with the account's own rights */
	PRIV_WAY_UNSAFE   /* somebody else can change a directory on the way: err names it */
};

/* Walks the directories of path one by one with O_PATH|O_NOFOLLOW (a link on the way: unsafe unless root owns it and its directory, as /var/run; then it is
 * followed).  *ret_dir: the last directory, close-on-exec, O_PATH; *ret_base points to the last component inside path. */
int priv_walk(const char *path, uint32_t account_uid, enum priv_way *ret_way, int *ret_dir, const char **ret_base, struct fp_err *err);

/* The configuration: a regular file, owned by root or our own uid, writable by no other, reached on such a way.  Opened O_RDONLY|O_NOFOLLOW|O_NONBLOCK. */
int priv_open_config(const char *path, int *ret_fd, struct fp_err *err);
/* Files below the directory dir_fd that match a pattern (fnmatch on every component, no "..", no absolute path): the same demands as above.  Sorted; at most max.
 * ret_paths[i] relative, malloc'd. Returns the count or -errno. */
int priv_open_includes(int dir_fd, const char *pattern, int *ret_fds, char **ret_paths, unsigned max, struct fp_err *err);

/* An append-only output file: O_NOFOLLOW|O_NONBLOCK|O_APPEND|O_CREAT 0640, a regular file with one link, else -EINVAL with its type in err ("is a FIFO").
 * Async-signal-safe when err is NULL. */
int priv_open_output_at(int dir_fd, const char *base, int *ret_fd, struct fp_err *err);

/* Makes a directory with that owner and mode, or checks that it is one and mends owner and mode if it is ours (root's or our uid's).  Parents are made 0755. */
int priv_make_dir(const char *path, mode_t mode, struct fp_err *err);

#endif
