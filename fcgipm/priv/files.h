/* File work with care: who may have meddled with the way to a file decides with whose rights it is done. */
#ifndef FCGIPM_PRIV_FILES_H
#define FCGIPM_PRIV_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fcgipm/base/err.h"

/* With whose rights the last component of an absolute path may be touched. */
enum priv_way {
	PRIV_WAY_OWN, /* every directory on the way is root's (or our own uid's) and writable by no other, unless sticky */
	PRIV_WAY_ACCOUNT /* some directory belongs to the account: only with the account's own rights */
};

enum { PRIV_NO_ACCOUNT = -1 }; /* as account_uid: only PRIV_WAY_OWN will do */

struct priv_place {
	enum priv_way way;
	int dir; /* O_PATH, close-on-exec: of the last directory, or of / where the way is the account's */
	const char *base; /* inside the path that was asked for: the last component, or all of it where the way is the account's */
};

/* Walks the directories of path one by one by descriptor, without following anybody else's link: one on the way must be root's (or our own), as /var/run is, and
 * where it leads is walked in turn.  -EPERM: somebody else can change a directory on the way (err names it and the remedy).  ret->dir is the caller's to close. */
int priv_walk(const char *path, uint32_t account_uid, struct priv_place *ret, struct fp_err *err);

/* The configuration: a regular file, owned by root or our own uid, writable by no other, reached on a way of our own.  path may be relative. */
int priv_open_config(const char *path, int *ret_fd, struct fp_err *err);

/* Where priv_open_includes puts what it opens: paths are relative to the directory and malloc'd. */
struct priv_includes {
	int *fds;
	char **paths;
	unsigned max;
};
/* Files below the directory dir_fd that match a pattern (fnmatch on every component, no "..", no absolute path), sorted: the same demands as above on every
 * directory and file.  Returns the count or -errno; on failure nothing stays open. */
int priv_open_includes(int dir_fd, const char *pattern, const struct priv_includes *to, struct fp_err *err);

/* An append-only output file: O_NOFOLLOW|O_NONBLOCK|O_APPEND|O_CREAT 0640, a regular file with one link, else -EINVAL with its type in err ("is a FIFO").
 * Async-signal-safe when err is NULL. */
int priv_open_output_at(int dir_fd, const char *base, int *ret_fd, struct fp_err *err);

/* Makes a directory of ours with that mode, or mends the mode of one that is ours.  Parents that are missing are made 0755, below directories of our own alone. */
int priv_make_dir(const char *path, mode_t mode, struct fp_err *err);

#endif
