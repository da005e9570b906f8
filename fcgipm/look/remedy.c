/* Remedies (look process).  They are copied into root's shell, and what they name comes from the account's own files in part: so no command is written with
 * a name that a shell, or "..", could make more of; nothing is offered for copying but what the account itself may read; and the target is the path that
 * the directory really has, so that a link in a chroot does not lead the copy out of it. */
#include "fcgipm/look/remedy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"

enum { TREES_MAX = 16 };

static const char *answer(struct view *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static const char *answer(struct view *v, const char *fmt, ...)
{
	struct fp_text t = FP_TEXT(v->remedy);
	va_list ap;

	v->remedy[0] = '\0';
	va_start(ap, fmt);
	fp_text_vadd(&t, fmt, ap);
	va_end(ap);
	if (t.cut)
		v->remedy[0] = '\0';
	return v->remedy;
}

/* A word that any shell takes as it is, and an absolute path without "..". */
static bool plain(const char *path)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+@:,=-";

	if (path[0] != '/' || path[strspn(path, good)] != '\0')
		return false;
	for (const char *at = path; at != NULL; at = strchr(at + 1, '/'))
		if (strncmp(at, "/..", 3) == 0 && (at[3] == '/' || at[3] == '\0'))
			return false;
	return true;
}

/* Where path is to come to stand, as seen from outside: links on the way are resolved as far as it exists. */
static bool outside(struct view *v, const char *path, char *ret, size_t cap)
{
	char start[WORLD_PATH_MAX], real[WORLD_PATH_MAX] = "/";
	const char *root = v->jailed ? v->pool->chroot : "";
	size_t len = strlen(path);

	if (len >= sizeof(start))
		return false;
	memcpy(start, path, len + 1);
	do { /* the longest beginning that is there; never path itself */
		while (len > 0 && start[len - 1] != '/')
			len--;
		while (len > 0 && start[len - 1] == '/')
			len--;
		start[len] = '\0';
	} while (len > 0 && world_real_path(&v->world, start, real, sizeof(real)) < 0);
	return (size_t)snprintf(ret, cap, "%s%s%s", root, strcmp(real, "/") == 0 || len == 0 ? "" : real, path + len) < cap && plain(ret);
}

/* A chroot that was made by debootstrap has a system of its own: what lacks there is installed there, not copied from here.  Only where the account could not
 * have put it: root is going to run what stands there. */
static bool own_system(const struct view *v)
{
	static const char *const paths[] = {"/", "/usr", "/usr/bin", "/usr/bin/apt-get", "/var/lib/dpkg/status"};

	for (size_t i = 0; v->jailed && i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct stat st;
		fp_autoclose int fd = world_find(&v->world, paths[i], &st);

		if (fd < 0 || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
			return false;
	}
	return v->jailed;
}

static const char *remedy_package(struct view *v, const char *path, const char *package)
{
	const char *in = "", *root = "";

	if (own_system(v) && plain(v->pool->chroot)) {
		in = "chroot ";
		root = v->pool->chroot;
	}
	if (package != NULL)
		return answer(v, " (%s%s%sapt-get install %s)", in, root, in[0] != '\0' ? " " : "", package);
	if (!plain(path))
		return answer(v, "%s", "");
	return answer(v, " (install the package that has it%s: apt-file search %s)", view_where(v), path);
}

static bool host_has(struct view *v, const char *path)
{
	fp_autoclose int fd = world_open_file(&v->host, path);

	return fd >= 0;
}

const char *remedy_file(struct view *v, const char *from, const char *path, const char *mode, const char *package)
{
	char to[WORLD_PATH_MAX];

	if (!v->jailed || own_system(v) || from == NULL || !host_has(v, from))
		return remedy_package(v, path, package);
	if (!plain(from) || !outside(v, path, to, sizeof(to)))
		return answer(v, " (copy it there)");
	return answer(v, " (install -D %s%s%s%s %s)", mode != NULL ? "-m " : "", mode != NULL ? mode : "", mode != NULL ? " " : "", from, to);
}

struct trees {
	struct view *view;
	struct fp_text *text;
	unsigned count;
	bool linked; /* a link in the chroot would lead a copy elsewhere */
};

static bool add_tree(void *ctx, const char *path)
{
	struct trees *t = ctx;
	char to[WORLD_PATH_MAX], straight[WORLD_PATH_MAX];

	if (!plain(path))
		return true;
	snprintf(straight, sizeof(straight), "%s%s", t->view->pool->chroot, path);
	t->linked |= !outside(t->view, path, to, sizeof(to)) || strcmp(to, straight) != 0;
	fp_text_add(t->text, "%s ", path + 1);
	return ++t->count < TREES_MAX;
}

const char *remedy_trees(struct view *v, const char *patterns, const char *package)
{
	char found[1024] = "", one[256];
	struct fp_text text = FP_TEXT(found);
	struct trees t = {.view = v, .text = &text};
	size_t len;

	if (!v->jailed || own_system(v) || !plain(v->pool->chroot))
		return remedy_package(v, "", package);
	for (const char *at = patterns; *at != '\0'; at += len + strspn(at + len, " ")) {
		len = strcspn(at, " ");
		snprintf(one, sizeof(one), "%.*s", (int)len, at);
		world_glob(&v->host, one, add_tree, &t);
	}
	if (t.count == 0 || text.cut)
		return remedy_package(v, "", package);
	if (t.linked)
		return answer(v, " (copy there from /: %.*s)", (int)text.len - 1, found);
	/* From /, since the cp of coreutils 9.1 looks for the parents of absolute names in the current directory. */
	return answer(v, " (cd / && cp -a --parents %s%s)", found, v->pool->chroot);
}

bool remedy_nodev(const struct view *v)
{
	struct statvfs fs;

	return fstatvfs(v->world.fd, &fs) == 0 && (fs.f_flag & ST_NODEV) != 0;
}

const char *remedy_device(struct view *v, const char *path, unsigned major, unsigned minor)
{
	fp_autoclose int there = world_find(&v->world, path, NULL);
	char to[WORLD_PATH_MAX], dir[WORLD_PATH_MAX];

	if (!outside(v, path, to, sizeof(to)))
		return answer(v, " (make the node: mknod -m 666 NAME c %u %u)", major, minor);
	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(to, '/') - to), to);
	if (remedy_nodev(v))
		return answer(v, " (the file system is mounted nodev: mkdir -p %s && touch %s && mount --bind %s %s)", dir, to, path, to);
	return answer(v, " (mkdir -p %s && %s%s%smknod -m 666 %s c %u %u)", dir, there >= 0 ? "rm " : "", there >= 0 ? to : "", there >= 0 ? " && " : "", to,
		      major, minor);
}

const char *remedy_program(struct view *v, const char *path)
{
	size_t len = strlen(v->pool->chroot);

	if (v->jailed && strncmp(path, v->pool->chroot, len) == 0 && path[len] == '/')
		return answer(v, " (write %s: the path is seen from inside the chroot)", path + len);
	return remedy_file(v, path, path, NULL, NULL);
}

const char *remedy_command(struct view *v, const char *command, const char *path)
{
	char to[WORLD_PATH_MAX];

	if (!outside(v, path, to, sizeof(to)))
		return answer(v, "%s", "");
	return answer(v, " (%s %s)", command, to);
}

const char *remedy_proc(struct view *v)
{
	char to[WORLD_PATH_MAX];

	return outside(v, "/proc", to, sizeof(to)) ? answer(v, " (mkdir -p %s && mount -t proc proc %s)", to, to) : answer(v, "%s", "");
}

/* Real paths alone: chmod follows links. */
static const char *let_in(struct view *v, const char *mode, const char *path)
{
	const char *root = v->jailed ? v->pool->chroot : "";
	char real[WORLD_PATH_MAX], to[2 * WORLD_PATH_MAX];

	if (world_real_path(&v->world, path, real, sizeof(real)) < 0)
		return answer(v, "%s", "");
	snprintf(to, sizeof(to), "%s%s", root, strcmp(real, "/") == 0 && root[0] != '\0' ? "" : real);
	return plain(to) ? answer(v, " (chmod %s %s)", mode, to) : answer(v, " (chmod %s)", mode);
}

const char *remedy_access(struct view *v, const char *path, const char *mode)
{
	char before[WORLD_PATH_MAX] = "/", now[WORLD_PATH_MAX];

	for (const char *end = path; *end != '\0'; memcpy(before, now, sizeof(now))) {
		fp_autoclose int fd = -1;

		end = strchrnul(end + 1, '/');
		if ((size_t)snprintf(now, sizeof(now), "%.*s", (int)(end - path), path) >= sizeof(now))
			return answer(v, "%s", "");
		fd = world_find(&v->world, now, NULL);
		if (fd == -EACCES)
			return let_in(v, "a+x", before);
		if (fd < 0)
			return answer(v, "%s", "");
	}
	return let_in(v, mode, path);
}

const char *remedy_open(struct view *v, const char *path)
{
	return let_in(v, "o-w", path);
}
