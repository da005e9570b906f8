/* One root directory as the account sees it: paths are resolved below it by openat2(2) with RESOLVE_IN_ROOT, so that a link in it cannot lead out and no
 * chroot is needed.  Whatever stands there is hostile: only regular files are read, without waiting, and not more than the budget. */
#ifndef FCGIPM_LOOK_WORLD_H
#define FCGIPM_LOOK_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "fcgipm/look/bytes.h"

enum { WORLD_PATH_MAX = 4096, WORLD_BUDGET = 128 << 20, WORLD_NAMES_MAX = 1 << 16 };

struct world {
	const char *root; /* as the pool names it; "/" */
	int fd; /* O_PATH; -1: not opened */
	uint64_t budget; /* bytes that may still be read */
	uint32_t names; /* directory entries that may still be seen */
};

/* 0 or -errno.  Close with fp_close(&w->fd). */
int world_open(struct world *w, const char *root);

/* O_PATH: opens nothing, whatever it is.  The close-on-exec descriptor, or -errno. */
int world_find(const struct world *w, const char *path, struct stat *ret);
/* A regular file to read.  The descriptor, or -errno; -ENOTSUP: no regular file. */
int world_open_file(const struct world *w, const char *path);
/* A character device to open; what it is has been compared before: the very inode is opened.  0 or -errno. */
int world_try_device(const struct world *w, const char *path, unsigned major, unsigned minor, int flags);
/* May the account execute (X_OK), write (W_OK) or read it, on file systems as they are mounted?  0 or -errno. */
int world_access(const struct world *w, const char *path, int mode);

/* The first directory on the way to a file, or the file itself, that every account may change: writable by others, and no sticky directory. */
bool world_open_to_all(const struct world *w, const char *path, char *ret, size_t cap);

/* The path that it really has below this root, without links.  0 or -errno. */
int world_real_path(const struct world *w, const char *path, char *ret, size_t cap);

/* A whole small file; *ret is malloc'ed, with a NUL behind its len bytes.  0 or -errno; -EFBIG: more than max. */
int world_read(struct world *w, const char *path, size_t max, char **ret, size_t *ret_len);

/* An open file as bytes; reading takes from the budget, -EDQUOT when that is spent. */
struct world_file {
	struct world *world;
	int fd;
};
struct bytes world_bytes(struct world_file *f);

/* Calls each(ctx, path) for every path that matches a pattern with * and ? (fnmatch(3), by component), until it says false. */
typedef bool world_each(void *ctx, const char *path);
void world_glob(struct world *w, const char *pattern, world_each *each, void *ctx);

#endif
