/* A root directory seen with the account's own rights (look process).  It must never open what is no regular file (a FIFO would hold it, a device may act),
 * never read without a bound, and never leave the root. */
#include "fcgipm/look/world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"

int world_open(struct world *w, const char *root)
{
	*w = (struct world){.root = root, .fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), .budget = WORLD_BUDGET, .names = WORLD_NAMES_MAX};
	return w->fd < 0 ? -errno : 0;
}

/* -EAGAIN: somebody renames meanwhile (openat2(2)). */
static int open_in(const struct world *w, const char *path, uint64_t flags)
{
	struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	long fd = -1;

	for (unsigned tries = 0; tries < 8; tries++) {
		fd = syscall(SYS_openat2, w->fd, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd < 0 ? -errno : (int)fd;
}

int world_find(const struct world *w, const char *path, struct stat *ret)
{
	fp_autoclose int fd = open_in(w, path, O_PATH);

	if (fd < 0)
		return fd;
	if (ret != NULL && fstat(fd, ret) < 0)
		return -errno;
	return FP_TAKE_FD(fd);
}

/* The inode behind an O_PATH descriptor: it stays the same, whatever becomes of its name. */
static const char *self_path(int fd, char *buf, size_t cap)
{
	snprintf(buf, cap, "/proc/self/fd/%d", fd);
	return buf;
}

static int open_again(int path_fd, int flags)
{
	char self[32];
	int fd = open(self_path(path_fd, self, sizeof(self)), flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int world_open_file(const struct world *w, const char *path)
{
	struct stat st;
	fp_autoclose int fd = world_find(w, path, &st);

	if (fd < 0)
		return fd;
	return S_ISREG(st.st_mode) ? open_again(fd, O_RDONLY) : -ENOTSUP;
}

int world_try_device(const struct world *w, const char *path, unsigned major, unsigned minor, int flags)
{
	struct stat st;
	fp_autoclose int fd = world_find(w, path, &st), again = -1;

	if (fd < 0)
		return fd;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(major, minor))
		return -ENOTSUP;
	again = open_again(fd, flags);
	return again < 0 ? again : 0;
}

int world_access(const struct world *w, const char *path, int mode)
{
	fp_autoclose int fd = world_find(w, path, NULL);
	char self[32];

	if (fd < 0)
		return fd;
	return access(self_path(fd, self, sizeof(self)), mode) < 0 ? -errno : 0;
}

static bool anybodys(const struct world *w, const char *path)
{
	struct stat st;
	fp_autoclose int fd = world_find(w, path, &st);

	return fd >= 0 && (st.st_mode & S_IWOTH) != 0 && !(S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX) != 0);
}

bool world_open_to_all(const struct world *w, const char *path, char *ret, size_t cap)
{
	const char *end = path;

	for (size_t len = 1;; len = (size_t)(end - path)) {
		if ((size_t)snprintf(ret, cap, "%.*s", (int)len, path) >= cap)
			return false;
		if (anybodys(w, ret))
			return true;
		if (*end == '\0')
			return false;
		end = strchrnul(end + 1, '/');
	}
}

static int name_of(int fd, char *ret, size_t cap)
{
	char self[32];
	ssize_t n = readlink(self_path(fd, self, sizeof(self)), ret, cap);

	if (n < 0 || (size_t)n >= cap)
		return n < 0 ? -errno : -ENAMETOOLONG;
	ret[n] = '\0';
	return 0;
}

int world_real_path(const struct world *w, const char *path, char *ret, size_t cap)
{
	fp_autoclose int fd = world_find(w, path, NULL);
	char root[WORLD_PATH_MAX], full[WORLD_PATH_MAX];
	size_t len;
	int r = fd < 0 ? fd : name_of(w->fd, root, sizeof(root));

	if (r == 0)
		r = name_of(fd, full, sizeof(full));
	if (r < 0)
		return r;
	len = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (strncmp(full, root, len) != 0 || (full[len] != '/' && full[len] != '\0'))
		return -EXDEV; /* moved away meanwhile */
	return (size_t)snprintf(ret, cap, "%s", full[len] != '\0' ? full + len : "/") < cap ? 0 : -ENAMETOOLONG;
}

static ssize_t read_at(void *ctx, void *buf, size_t len, off_t offset)
{
	struct world_file *f = ctx;
	ssize_t n;

	if (f->world->budget < len)
		return -EDQUOT;
	n = pread(f->fd, buf, len, offset);
	if (n < 0)
		return -errno;
	f->world->budget -= (uint64_t)n;
	return n;
}

struct bytes world_bytes(struct world_file *f)
{
	return (struct bytes){read_at, f};
}

int world_read(struct world *w, const char *path, size_t max, char **ret, size_t *ret_len)
{
	fp_autoclose int fd = world_open_file(w, path);
	fp_autofree char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fd < 0 ? fd : -errno;
	if ((uint64_t)st.st_size > max)
		return -EFBIG;
	text = malloc((size_t)st.st_size + 1);
	if (text == NULL)
		return -ENOMEM;
	n = read_at(&(struct world_file){w, fd}, text, (size_t)st.st_size, 0);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	*ret_len = (size_t)n;
	*ret = text;
	text = NULL;
	return 0;
}

/* ---- patterns ---- */

struct walk {
	struct world *world;
	world_each *each;
	void *ctx;
	bool stop;
};

static void walk(struct walk *k, const char *done, const char *rest);

static void walk_into(struct walk *k, const char *done, const char *name, size_t len, const char *rest)
{
	char path[WORLD_PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%.*s", done, (int)len, name) < sizeof(path))
		walk(k, path, rest);
}

static void walk_entries(struct walk *k, const char *done, const char *pattern, const char *rest)
{
	int fd = open_in(k->world, done[0] != '\0' ? done : "/", O_RDONLY | O_DIRECTORY | O_NONBLOCK);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL) {
		fp_close(&fd);
		return;
	}
	for (const struct dirent *e; !k->stop && k->world->names > 0 && (e = readdir(dir)) != NULL;) {
		k->world->names--;
		if (fnmatch(pattern, e->d_name, FNM_PERIOD) == 0)
			walk_into(k, done, e->d_name, strlen(e->d_name), rest);
	}
	closedir(dir);
}

/* done: what has been matched, without a slash behind it; rest: what is to be, "/usr/lib" or "". */
static void walk(struct walk *k, const char *done, const char *rest)
{
	const char *name = rest + (rest[0] == '/'), *end = strchrnul(name, '/');
	size_t len = (size_t)(end - name);
	char pattern[256];

	if (len == 0) {
		fp_autoclose int fd = world_find(k->world, done, NULL);

		k->stop = k->stop || (fd >= 0 && !k->each(k->ctx, done));
		return;
	}
	if (len >= sizeof(pattern))
		return;
	memcpy(pattern, name, len);
	pattern[len] = '\0';
	if (strpbrk(pattern, "*?[") != NULL)
		walk_entries(k, done, pattern, end);
	else
		walk_into(k, done, name, len, end);
}

void world_glob(struct world *w, const char *pattern, world_each *each, void *ctx)
{
	walk(&(struct walk){w, each, ctx, false}, "", pattern);
}
