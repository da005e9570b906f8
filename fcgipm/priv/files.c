/* File work with care (launcher process, and its children before exec).  Nothing here trusts a path: every directory on the way is looked at, by descriptor,
 * before the last component is touched. */
#include "fcgipm/priv/files.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"

enum { LINKS_MAX = 8 };

/* What one directory (or link) on the way means for who may go on. */
static enum priv_way judge(const struct stat *st, uid_t own, uid_t account)
{
	bool ours = st->st_uid == 0 || st->st_uid == own;

	if (ours && (S_ISLNK(st->st_mode) || (st->st_mode & 022) == 0 || (st->st_mode & S_ISVTX) != 0))
		return PRIV_WAY_OWN;
	if (st->st_uid == account)
		return PRIV_WAY_ACCOUNT;
	return PRIV_WAY_UNSAFE;
}

struct walk {
	uid_t own, account;
	char path[PATH_MAX]; /* with the links so far replaced */
	size_t at;           /* of the component to come */
	unsigned links;
	int dir;
};

/* Replaces the component by the link's target and begins again at the root: the target's own directories are judged too. */
static int follow(struct walk *w, int link, size_t len, struct fp_err *err)
{
	char target[PATH_MAX], next[PATH_MAX];
	ssize_t n = readlinkat(link, "", target, sizeof(target) - 1);
	const char *rest = w->path + w->at + len;
	int total;

	if (n < 0 || ++w->links > LINKS_MAX)
		return fp_fail(err, ELOOP, "too many links on the way to %s", w->path);
	target[n] = '\0';
	if (target[0] == '/')
		total = snprintf(next, sizeof(next), "%s%s", target, rest);
	else
		total = snprintf(next, sizeof(next), "%.*s%s%s", (int)w->at, w->path, target, rest);
	if (total < 0 || (size_t)total >= sizeof(next))
		return fp_fail(err, ENAMETOOLONG, "the way to %s is too long", w->path);
	memcpy(w->path, next, (size_t)total + 1);
	fp_close(&w->dir);
	w->dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	w->at = 1;
	return w->dir < 0 ? fp_fail(err, errno, "cannot open /: %m") : 0;
}

/* One directory further.  1: go on; 0: stop here, from now on it is the account's; or -errno. */
static int enter(struct walk *w, size_t len, struct fp_err *err)
{
	char name[NAME_MAX + 1];
	fp_autoclose int fd = -1;
	struct stat st;

	if (len > NAME_MAX || (len == 2 && memcmp(w->path + w->at, "..", 2) == 0))
		return fp_fail(err, EINVAL, "%s: \"..\" or a name that is too long on the way", w->path);
	memcpy(name, w->path + w->at, len);
	name[len] = '\0';
	fd = openat(w->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fp_fail(err, errno, "%.*s: %m", (int)(w->at + len), w->path);
	switch (judge(&st, w->own, w->account)) {
	case PRIV_WAY_ACCOUNT:
		return 0;
	case PRIV_WAY_UNSAFE:
		return fp_fail(err, EPERM, "%.*s belongs to uid %u with mode %04o: somebody else could change what is in it (chown root, chmod go-w)",
			       (int)(w->at + len), w->path, st.st_uid, st.st_mode & 07777);
	case PRIV_WAY_OWN:
		break;
	}
	if (S_ISLNK(st.st_mode)) {
		int r = follow(w, fd, len, err);

		return r < 0 ? r : 1;
	}
	if (!S_ISDIR(st.st_mode))
		return fp_fail(err, ENOTDIR, "%.*s: %m", (int)(w->at + len), w->path);
	fp_close(&w->dir);
	w->dir = FP_TAKE_FD(fd);
	w->at += len;
	return 1;
}

/* Goes through the directories; leaves w at the last component, or where the account's own begin. */
static int walk_dirs(struct walk *w, enum priv_way *ret_way, struct fp_err *err)
{
	for (;;) {
		size_t len;
		int r;

		while (w->path[w->at] == '/')
			w->at++;
		len = strcspn(w->path + w->at, "/");
		if (w->path[w->at + len] == '\0') {
			*ret_way = PRIV_WAY_OWN;
			return len == 0 ? fp_fail(err, EINVAL, "%s names a directory", w->path) : 0;
		}
		r = enter(w, len, err);
		if (r < 0)
			return r;
		if (r == 0) {
			*ret_way = PRIV_WAY_ACCOUNT;
			return 0;
		}
	}
}

int priv_walk(const char *path, uint32_t account_uid, enum priv_way *ret_way, int *ret_dir, const char **ret_base, struct fp_err *err)
{
	struct walk w = {.own = geteuid(), .account = account_uid, .at = 1, .dir = -1};
	size_t len = strlen(path);
	int r;

	if (path[0] != '/' || len >= sizeof(w.path))
		return fp_fail(err, EINVAL, "%s is not an absolute path", path);
	memcpy(w.path, path, len + 1);
	w.dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w.dir < 0)
		return fp_fail(err, errno, "cannot open /: %m");
	r = walk_dirs(&w, ret_way, err);
	if (r < 0) {
		fp_close(&w.dir);
		return r;
	}
	/* What is left is a tail of the path as given: links only ever replace what came before it. */
	*ret_base = path + len - strlen(w.path + w.at);
	*ret_dir = w.dir;
	return 0;
}

static int open_config_at(int dir, const char *base, const char *shown, int *ret_fd, struct fp_err *err)
{
	fp_autoclose int fd = openat(dir, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ELOOP ? fp_fail(err, ELOOP, "%s is a link", shown) : fp_fail(err, errno, "cannot open %s: %m", shown);
	if (fstat(fd, &st) < 0)
		return fp_fail(err, errno, "%s: %m", shown);
	if (!S_ISREG(st.st_mode))
		return fp_fail(err, EINVAL, "%s is not a regular file", shown);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return fp_fail(err, EPERM, "%s belongs to uid %u; it must be root's%s (chown root)", shown, st.st_uid, geteuid() != 0 ? " or yours" : "");
	if ((st.st_mode & 022) != 0)
		return fp_fail(err, EPERM, "%s has mode %04o; others may not write it (chmod go-w)", shown, st.st_mode & 07777);
	*ret_fd = FP_TAKE_FD(fd);
	return 0;
}

int priv_open_config(const char *path, int *ret_fd, struct fp_err *err)
{
	fp_autoclose int dir = -1;
	char full[PATH_MAX], cwd[PATH_MAX];
	enum priv_way way;
	const char *base;
	int n, r;

	if (path[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
		return fp_fail(err, errno, "cannot read the current directory: %m");
	n = path[0] == '/' ? snprintf(full, sizeof(full), "%s", path) : snprintf(full, sizeof(full), "%s/%s", cwd, path[0] == '.' && path[1] == '/' ? path + 2 : path);
	if (n < 0 || (size_t)n >= sizeof(full))
		return fp_fail(err, ENAMETOOLONG, "%s: %m", path);
	r = priv_walk(full, geteuid(), &way, &dir, &base, err);
	return r < 0 ? r : open_config_at(dir, base, path, ret_fd, err);
}

/* ---- includes ---- */

struct includes {
	int *fds;
	char **paths;
	unsigned count, max;
	struct fp_err *err;
};

/* A directory on the way of an include: ours and nobody else's to change. */
static int open_include_dir(int dir, const char *name, int *ret, struct fp_err *err)
{
	fp_autoclose int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fp_fail(err, errno, "cannot open %s: %m", name);
	if (judge(&st, geteuid(), geteuid()) != PRIV_WAY_OWN)
		return fp_fail(err, EPERM, "the directory %s can be changed by others (chown root, chmod go-w)", name);
	*ret = FP_TAKE_FD(fd);
	return 0;
}

static int include_dir(struct includes *in, int dir, const char *prefix, const char *pattern);

static int include_one(struct includes *in, int dir, const char *prefix, const char *name, const char *rest)
{
	char *shown = NULL;
	int sub = -1, r;

	if (asprintf(&shown, "%s%s%s", prefix, name, rest != NULL ? "/" : "") < 0)
		return -ENOMEM;
	if (rest != NULL) {
		r = open_include_dir(dir, name, &sub, in->err);
		if (r == 0)
			r = include_dir(in, sub, shown, rest);
		fp_close(&sub);
		free(shown);
		return r;
	}
	if (in->count == in->max) {
		free(shown);
		return fp_fail(in->err, E2BIG, "more than %u files are included", in->max);
	}
	r = open_config_at(dir, name, shown, &in->fds[in->count], in->err);
	if (r == 0)
		in->paths[in->count++] = shown;
	else
		free(shown);
	return r;
}

/* Matches one component and goes on with the rest; a component without wildcards need not be listed. */
static int include_dir(struct includes *in, int dir, const char *prefix, const char *pattern)
{
	size_t len = strcspn(pattern, "/");
	const char *rest = pattern[len] == '/' ? pattern + len + 1 : NULL;
	fp_autofree char *one = strndup(pattern, len);
	struct dirent **list;
	int fd, n, r = 0;

	if (one == NULL)
		return -ENOMEM;
	if (len == 0 || strcmp(one, "..") == 0)
		return fp_fail(in->err, EINVAL, "include: \"..\" and empty names are refused; what is included lies below the file");
	if (strpbrk(one, "*?[") == NULL)
		return include_one(in, dir, prefix, one, rest);
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	n = fd < 0 ? -1 : scandirat(fd, ".", &list, NULL, alphasort);
	if (n < 0)
		r = fp_fail(in->err, errno, "cannot list %s: %m", prefix);
	fp_close(&fd);
	for (int i = 0; i < n; i++) {
		if (r == 0 && fnmatch(one, list[i]->d_name, FNM_PERIOD) == 0)
			r = include_one(in, dir, prefix, list[i]->d_name, rest);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return r;
}

int priv_open_includes(int dir_fd, const char *pattern, int *ret_fds, char **ret_paths, unsigned max, struct fp_err *err)
{
	struct includes in = {.fds = ret_fds, .paths = ret_paths, .max = max, .err = err};
	int dir = -1, r;

	if (pattern[0] == '/')
		return fp_fail(err, EINVAL, "include: %s is absolute; what is included lies below the file", pattern);
	r = open_include_dir(dir_fd, ".", &dir, err);
	if (r == 0)
		r = include_dir(&in, dir, "", pattern);
	fp_close(&dir);
	for (unsigned i = 0; r < 0 && i < in.count; i++) {
		fp_close(&ret_fds[i]);
		free(ret_paths[i]);
	}
	return r < 0 ? r : (int)in.count;
}

/* ---- output files and directories ---- */

static const char *type_name(mode_t mode)
{
	return S_ISFIFO(mode) ? "a FIFO" : S_ISDIR(mode) ? "a directory" : S_ISSOCK(mode) ? "a socket" : S_ISLNK(mode) ? "a link" : "a device";
}

int priv_open_output_at(int dir_fd, const char *base, int *ret_fd, struct fp_err *err)
{
	struct stat st;
	int fd;

	/* Looked at before it is opened: opening a FIFO or a device can have effects of its own. */
	if (fstatat(dir_fd, base, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
		return fp_fail(err, EINVAL, "%s is %s, not a regular file", base, type_name(st.st_mode));
	fd = openat(dir_fd, base, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
	if (fd < 0)
		return fp_fail(err, errno, "cannot open %s: %m", base);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1) {
		close(fd);
		return fp_fail(err, EINVAL, "%s is not a regular file with one name", base);
	}
	*ret_fd = fd;
	return 0;
}

/* An existing directory of ours gets the mode that it should have; somebody else's is refused. */
static int settle_dir(const char *path, mode_t mode, struct fp_err *err)
{
	fp_autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fp_fail(err, errno, "cannot open the directory %s: %m", path);
	if (st.st_uid != geteuid())
		return fp_fail(err, EPERM, "the directory %s belongs to uid %u", path, st.st_uid);
	if ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
		return fp_fail(err, errno, "cannot set the mode of %s: %m", path);
	return 0;
}

static int make_parents(char *path, struct fp_err *err)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		int failed;

		*slash = '\0';
		failed = mkdir(path, 0755) < 0 && errno != EEXIST ? errno : 0;
		if (failed != 0)
			fp_fail(err, failed, "cannot make the directory %s: %m", path);
		*slash = '/';
		if (failed != 0)
			return -failed;
	}
	return 0;
}

int priv_make_dir(const char *path, mode_t mode, struct fp_err *err)
{
	fp_autofree char *copy = strdup(path);
	enum priv_way way;
	fp_autoclose int dir = -1;
	const char *base;
	int r = copy == NULL ? -ENOMEM : make_parents(copy, err);

	if (r == 0)
		r = priv_walk(path, geteuid(), &way, &dir, &base, err);
	if (r < 0)
		return r;
	if (mkdirat(dir, base, mode) < 0 && errno != EEXIST)
		return fp_fail(err, errno, "cannot make the directory %s: %m", path);
	return settle_dir(path, mode, err);
}
