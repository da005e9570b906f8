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

enum verdict { OURS, ACCOUNTS, UNSAFE };

/* What one directory or link on the way means for who may go on. Root is nobody's account: what root owns and others may write is unsafe. */
static enum verdict judge(const struct stat *st, uint32_t account)
{
	bool ours = st->st_uid == 0 || st->st_uid == geteuid();

	if (ours && (S_ISLNK(st->st_mode) || (st->st_mode & 022) == 0 || (st->st_mode & S_ISVTX) != 0))
		return OURS;
	return st->st_uid == account && account != 0 ? ACCOUNTS : UNSAFE;
}

struct walk {
	uint32_t account;
	char path[PATH_MAX]; /* with the links so far replaced */
	size_t at; /* of the component to come */
	unsigned links;
	int dir;
};

static int open_slash(int *ret, struct fp_err *err)
{
	*ret = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? fp_fail(err, errno, "cannot open /: %m") : 0;
}

/* Replaces the component by the link's target and begins again at the root: the target's own directories are judged too. */
static int follow(struct walk *w, int link, size_t len, struct fp_err *err)
{
	char target[PATH_MAX], next[PATH_MAX];
	ssize_t n = readlinkat(link, "", target, sizeof(target));
	const char *rest = w->path + w->at + len;
	size_t before;
	int total;

	if (n < 0 || ++w->links > LINKS_MAX)
		return fp_fail(err, n < 0 ? errno : ELOOP, "cannot follow the links on the way to %s: %m", w->path);
	before = target[0] == '/' ? 0 : w->at;
	total = snprintf(next, sizeof(next), "%.*s%.*s%s", (int)before, w->path, (int)n, target, rest);
	if (total < 0 || (size_t)total >= sizeof(next))
		return fp_fail(err, ENAMETOOLONG, "the way to %s is too long", w->path);
	memcpy(w->path, next, (size_t)total + 1);
	w->at = 1;
	fp_close(&w->dir);
	return open_slash(&w->dir, err);
}

static int say_unsafe(const struct walk *w, size_t len, const struct stat *st, struct fp_err *err)
{
	return fp_fail(err, EPERM, "%.*s belongs to uid %u with mode %04o: somebody else could change what is in it (chown root, chmod go-w)",
		       (int)(w->at + len), w->path, st->st_uid, st->st_mode & 07777);
}

/* One directory further, or through a link. */
static int enter(struct walk *w, size_t len, enum verdict *ret, struct fp_err *err)
{
	char name[NAME_MAX + 1];
	fp_autoclose int fd = -1;
	struct stat st;

	if (len > NAME_MAX)
		return fp_fail(err, ENAMETOOLONG, "%s: %m", w->path);
	memcpy(name, w->path + w->at, len);
	name[len] = '\0';
	fd = openat(w->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fp_fail(err, errno, "%.*s: %m", (int)(w->at + len), w->path);
	*ret = judge(&st, w->account);
	if (*ret != OURS)
		return *ret == UNSAFE ? say_unsafe(w, len, &st, err) : 0;
	if (S_ISLNK(st.st_mode))
		return follow(w, fd, len, err);
	if (!S_ISDIR(st.st_mode))
		return fp_fail(err, ENOTDIR, "%.*s: %m", (int)(w->at + len), w->path);
	fp_close(&w->dir);
	w->dir = FP_TAKE_FD(fd);
	w->at += len;
	return 0;
}

static bool is_dots(const char *name)
{
	return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* Goes through the directories; leaves w at the last component, or where the account's own begin. */
static int walk_dirs(struct walk *w, enum verdict *ret, struct fp_err *err)
{
	*ret = OURS;
	for (;;) {
		size_t len;
		int r;

		w->at += strspn(w->path + w->at, "/");
		len = strcspn(w->path + w->at, "/");
		if (w->path[w->at + len] == '\0')
			return len == 0 || is_dots(w->path + w->at) ? fp_fail(err, EISDIR, "%s names a directory", w->path) : 0;
		r = enter(w, len, ret, err);
		if (r < 0 || *ret != OURS)
			return r;
	}
}

int priv_walk(const char *path, uint32_t account_uid, struct priv_place *ret, struct fp_err *err)
{
	struct walk w = {.account = account_uid, .at = 1, .dir = -1};
	fp_autoclose int slash = -1;
	enum verdict verdict;
	size_t len = strlen(path);
	int r;

	if (path[0] != '/' || len >= sizeof(w.path))
		return fp_fail(err, EINVAL, "%s is not an absolute path", path);
	memcpy(w.path, path, len + 1);
	r = open_slash(&w.dir, err);
	if (r == 0)
		r = walk_dirs(&w, &verdict, err);
	if (r == 0 && verdict == ACCOUNTS)
		r = open_slash(&slash, err);
	if (r < 0) {
		fp_close(&w.dir);
		return r;
	}
	if (verdict == ACCOUNTS) {
		fp_close(&w.dir);
		*ret = (struct priv_place){.way = PRIV_WAY_ACCOUNT, .dir = FP_TAKE_FD(slash), .base = path};
		return 0;
	}
	*ret = (struct priv_place){.way = PRIV_WAY_OWN, .dir = w.dir, .base = strrchr(path, '/') + 1};
	return 0;
}

static int check_config(const struct stat *st, const char *shown, struct fp_err *err)
{
	if (!S_ISREG(st->st_mode))
		return fp_fail(err, EINVAL, "%s is not a regular file", shown);
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return fp_fail(err, EPERM, "%s belongs to uid %u; it must be root's%s (chown root)", shown, st->st_uid, geteuid() != 0 ? " or yours" : "");
	if ((st->st_mode & 022) != 0)
		return fp_fail(err, EPERM, "%s has mode %04o; others may not write it (chmod go-w)", shown, st->st_mode & 07777);
	return 0;
}

static int open_config_at(int dir, const char *base, const char *shown, int *ret_fd, struct fp_err *err)
{
	fp_autoclose int fd = openat(dir, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0)
		return errno == ELOOP ? fp_fail(err, ELOOP, "%s is a link, which is not followed (name the file itself, or put it there)", shown)
				      : fp_fail(err, errno, "cannot open %s: %m", shown);
	if (fstat(fd, &st) < 0)
		return fp_fail(err, errno, "%s: %m", shown);
	r = check_config(&st, shown, err);
	if (r == 0)
		*ret_fd = FP_TAKE_FD(fd);
	return r;
}

/* The current directory in front of a relative path. */
static int make_absolute(const char *path, char *ret, size_t cap, struct fp_err *err)
{
	char cwd[PATH_MAX] = "";
	int n;

	if (path[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
		return fp_fail(err, errno, "cannot read the current directory: %m");
	n = snprintf(ret, cap, "%s%s%s", cwd, path[0] != '/' ? "/" : "", path);
	return n < 0 || (size_t)n >= cap ? fp_fail(err, ENAMETOOLONG, "%s: %m", path) : 0;
}

int priv_open_config(const char *path, int *ret_fd, struct fp_err *err)
{
	char full[PATH_MAX];
	struct priv_place at;
	int r = make_absolute(path, full, sizeof(full), err);

	if (r == 0)
		r = priv_walk(full, PRIV_NO_ACCOUNT, &at, err);
	if (r < 0)
		return r;
	r = open_config_at(at.dir, at.base, path, ret_fd, err);
	fp_close(&at.dir);
	return r;
}

/* ---- includes ---- */

struct includes {
	const struct priv_includes *to;
	unsigned count;
	unsigned refused; /* files that others could have changed: the first is in err, and the rest is looked at all the same */
	struct fp_err *err;
};

/* A directory on the way of an include: ours and nobody else's to change. */
static int open_include_dir(int dir, const char *name, const char *shown, int *ret, struct fp_err *err)
{
	fp_autoclose int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fp_fail(err, errno, "cannot open the directory %s: %m (make it, or mend the pattern)", shown);
	if (judge(&st, PRIV_NO_ACCOUNT) != OURS)
		return fp_fail(err, EPERM, "the directory %s belongs to uid %u with mode %04o: others could change what is in it (chown root, chmod go-w)",
			       shown, st.st_uid, st.st_mode & 07777);
	*ret = FP_TAKE_FD(fd);
	return 0;
}

static int include_dir(struct includes *in, int dir, const char *prefix, const char *pattern);

/* The launcher opens for a process that it does not trust: what lies beside the configuration and is none stays closed to it. */
static bool is_yaml(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* 1: it is open, and shown is kept; 0: refused. */
static int include_file(struct includes *in, int dir, char *shown)
{
	int r;

	if (!is_yaml(shown))
		return fp_fail(in->err, EINVAL, "%s does not end in .yaml or .yml (such as pools.d/*.yaml)", shown);
	if (in->count == in->to->max)
		return fp_fail(in->err, E2BIG, "more than %u files are included (one file may hold many pools)", in->to->max);
	r = open_config_at(dir, strrchr(shown, '/') != NULL ? strrchr(shown, '/') + 1 : shown, shown, &in->to->fds[in->count], in->err);
	if (r == 0) {
		in->to->paths[in->count++] = shown;
		return 1;
	}
	in->refused += r == -EPERM;
	return r == -EPERM ? 0 : r;
}

static int include_one(struct includes *in, int dir, const char *prefix, const char *name, const char *rest)
{
	fp_autoclose int sub = -1;
	char *shown = NULL;
	int r;

	if (asprintf(&shown, "%s%s%s", prefix, name, rest != NULL ? "/" : "") < 0)
		return fp_fail(in->err, ENOMEM, "%m");
	if (rest == NULL) {
		r = include_file(in, dir, shown);
		if (r <= 0)
			free(shown);
		return r < 0 ? r : 0;
	}
	r = open_include_dir(dir, name, shown, &sub, in->err);
	if (r == 0)
		r = include_dir(in, sub, shown, rest);
	free(shown);
	return r;
}

static int include_matches(struct includes *in, int dir, const char *prefix, const char *pattern, const char *rest)
{
	struct dirent **list;
	fp_autoclose int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int n = fd < 0 ? -1 : scandirat(fd, ".", &list, NULL, alphasort), r = 0;

	if (n < 0)
		return fp_fail(in->err, errno, "cannot list %s: %m", prefix[0] != '\0' ? prefix : "the configuration's directory");
	for (int i = 0; i < n; i++) {
		if (r == 0 && fnmatch(pattern, list[i]->d_name, FNM_PERIOD) == 0)
			r = include_one(in, dir, prefix, list[i]->d_name, rest);
		free(list[i]);
	}
	free(list);
	return r;
}

/* Matches one component and goes on with the rest; a component without wildcards need not be listed, and must be there. */
static int include_dir(struct includes *in, int dir, const char *prefix, const char *pattern)
{
	size_t len = strcspn(pattern, "/");
	const char *rest = pattern[len] == '/' ? pattern + len + 1 : NULL;
	fp_autofree char *one = strndup(pattern, len);

	if (one == NULL)
		return fp_fail(in->err, ENOMEM, "%m");
	if (len == 0 || is_dots(one))
		return fp_fail(in->err, EINVAL, "no \".\", \"..\" or empty names (what lies below this file's directory, such as pools.d/*.yaml)");
	if (strpbrk(one, "*?[") == NULL)
		return include_one(in, dir, prefix, one, rest);
	return include_matches(in, dir, prefix, one, rest);
}

int priv_open_includes(int dir_fd, const char *pattern, const struct priv_includes *to, struct fp_err *err)
{
	struct includes in = {.to = to, .err = err};
	fp_autoclose int dir = -1;
	int r;

	if (pattern[0] == '/')
		return fp_fail(err, EINVAL, "an absolute path (what lies below this file's directory, such as pools.d/*.yaml)");
	r = open_include_dir(dir_fd, ".", "of the configuration", &dir, err);
	if (r == 0)
		r = include_dir(&in, dir, "", pattern);
	if (r == 0 && in.refused > 0)
		r = -EPERM;
	if (in.refused > 1 && err != NULL)
		snprintf(err->text + strlen(err->text), sizeof(err->text) - strlen(err->text), "; so it is with %u more", in.refused - 1);
	for (unsigned i = 0; r < 0 && i < in.count; i++) {
		fp_close(&to->fds[i]);
		free(to->paths[i]);
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
	fp_autoclose int fd = -1;
	struct stat st;

	/* Looked at before it is opened: opening a FIFO or a device can have effects of its own. */
	if (fstatat(dir_fd, base, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
		return fp_fail(err, EINVAL, "%s is %s, not a regular file", base, type_name(st.st_mode));
	fd = openat(dir_fd, base, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fp_fail(err, errno, "cannot open %s: %m", base);
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		return fp_fail(err, EINVAL, "%s is not a regular file with one name", base);
	*ret_fd = FP_TAKE_FD(fd);
	return 0;
}

/* A directory of ours gets the mode that it should have; somebody else's is refused. */
static int settle_dir(const struct priv_place *at, const char *path, mode_t mode, struct fp_err *err)
{
	fp_autoclose int fd = openat(at->dir, at->base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fp_fail(err, errno, "cannot open the directory %s: %m", path);
	if (st.st_uid != geteuid())
		return fp_fail(err, EPERM, "the directory %s belongs to uid %u, not to us", path, st.st_uid);
	if ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
		return fp_fail(err, errno, "cannot set the mode of %s: %m", path);
	return 0;
}

/* settle: its mode is ours to say; a parent's is not. */
static int make_one(const char *path, mode_t mode, bool settle, struct fp_err *err)
{
	struct priv_place at;
	int r = priv_walk(path, PRIV_NO_ACCOUNT, &at, err);

	if (r < 0)
		return r;
	if (mkdirat(at.dir, at.base, mode) < 0 && errno != EEXIST)
		r = fp_fail(err, errno, "cannot make the directory %s: %m", path);
	if (r == 0 && settle)
		r = settle_dir(&at, path, mode, err);
	fp_close(&at.dir);
	return r;
}

int priv_make_dir(const char *path, mode_t mode, struct fp_err *err)
{
	char copy[PATH_MAX];

	if (path[0] != '/' || strlen(path) >= sizeof(copy))
		return fp_fail(err, EINVAL, "%s is not an absolute path", path);
	for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		int r;

		memcpy(copy, path, (size_t)(slash - path));
		copy[slash - path] = '\0';
		r = make_one(copy, 0755, false, err);
		if (r < 0)
			return r;
	}
	return make_one(path, mode, true, err);
}
