/* Finding a program (a child of the launcher).  No component is followed by name twice: what is opened is what was looked at, and stays open.
 *
 * In the part of the path that the administrator wrote a link is followed when it is root's: /bin/sh leads to dash.  Below it any link is refused (openat2(2)),
 * for whoever may write there could make it.  Nothing is opened for reading, so neither a FIFO nor a device is touched. */
#include "fcgipm/broker/find.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"

enum { LINKS_MAX = 8 };

static enum fcgipm_refusal refusal_of(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
		return FCGIPM_REFUSED_MISSING;
	case ELOOP:
		return FCGIPM_REFUSED_LINK;
	case EACCES:
		return FCGIPM_REFUSED_UNREACHABLE;
	case EXDEV:
		return FCGIPM_REFUSED_OUTSIDE;
	default:
		return FCGIPM_REFUSED_STEP;
	}
}

struct walk {
	int root, dir; /* root: the chroot */
	char path[PATH_MAX]; /* with the links so far replaced */
	size_t at, literal; /* the component to come; where the administrator's part ends */
	unsigned links;
	bool jailed;
};

static size_t part_len(const struct walk *w)
{
	return strcspn(w->path + w->at, "/");
}

/* The component to come, as a text of its own. */
static bool name_part(const struct walk *w, char (*ret)[NAME_MAX + 1])
{
	size_t len = part_len(w);

	if (len == 0 || len > NAME_MAX)
		return false;
	memcpy(*ret, w->path + w->at, len);
	(*ret)[len] = '\0';
	return true;
}

static enum fcgipm_refusal restart(struct walk *w, bool from_root)
{
	int again;

	if (!from_root)
		return FCGIPM_REFUSED_NOT;
	again = fcntl(w->root, F_DUPFD_CLOEXEC, 0);
	if (again < 0)
		return FCGIPM_REFUSED_STEP;
	fp_close(&w->dir);
	w->dir = again;
	return FCGIPM_REFUSED_NOT;
}

/* Puts the link's target in place of the component. */
static enum fcgipm_refusal follow(struct walk *w, int link)
{
	char target[PATH_MAX], next[PATH_MAX];
	ssize_t n = readlinkat(link, "", target, sizeof(target));
	size_t rest = w->at + part_len(w), tail = strlen(w->path) - rest;

	if (n <= 0 || ++w->links > LINKS_MAX || (size_t)n + tail + 1 > sizeof(next))
		return FCGIPM_REFUSED_LINK;
	memcpy(next, target, (size_t)n);
	memcpy(next + n, w->path + rest, tail + 1);
	w->literal = w->literal - rest + (size_t)n;
	w->at = 0;
	memcpy(w->path, next, (size_t)n + tail + 1);
	return restart(w, target[0] == '/');
}

static bool may_follow(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

/* One component of the administrator's part: a directory is entered, a link followed; anything else is the end. */
static enum fcgipm_refusal step(struct walk *w, struct broker_found *ret)
{
	char name[NAME_MAX + 1];
	fp_autoclose int fd = -1;
	struct stat st;

	if (!name_part(w, &name))
		return FCGIPM_REFUSED_MISSING;
	if (w->jailed && strcmp(name, "..") == 0)
		return FCGIPM_REFUSED_LINK; /* of a link's target; it might lead out */
	fd = openat(w->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return refusal_of(errno);
	if (S_ISLNK(st.st_mode))
		return may_follow(&st) ? follow(w, fd) : FCGIPM_REFUSED_LINK;
	w->at += part_len(w);
	if (w->path[w->at] == '\0') {
		if (fstat(w->dir, &ret->directory) < 0)
			return FCGIPM_REFUSED_STEP;
		ret->st = st;
		ret->file = FP_TAKE_FD(fd);
		return FCGIPM_REFUSED_NOT;
	}
	if (!S_ISDIR(st.st_mode))
		return FCGIPM_REFUSED_MISSING;
	fp_close(&w->dir);
	w->dir = FP_TAKE_FD(fd);
	return FCGIPM_REFUSED_NOT;
}

/* What somebody else may have made: beneath, and by no link. */
static enum fcgipm_refusal descend(struct walk *w, struct broker_found *ret)
{
	static const struct open_how how = {.flags = O_PATH | O_CLOEXEC | O_DIRECTORY,
					    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	char *rest = w->path + w->at, *slash = strrchr(rest, '/');
	fp_autoclose int dir = -1, file = -1;

	if (slash != NULL)
		*slash = '\0';
	dir = slash == NULL ? fcntl(w->dir, F_DUPFD_CLOEXEC, 0) : (int)syscall(SYS_openat2, w->dir, rest, &how, sizeof(how));
	if (dir >= 0)
		file = openat(dir, slash == NULL ? rest : slash + 1, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return refusal_of(errno);
	if (fstat(dir, &ret->directory) < 0 || fstat(file, &ret->st) < 0)
		return FCGIPM_REFUSED_STEP;
	if (S_ISLNK(ret->st.st_mode))
		return FCGIPM_REFUSED_LINK;
	ret->file = FP_TAKE_FD(file);
	return FCGIPM_REFUSED_NOT;
}

static enum fcgipm_refusal walk(struct walk *w, struct broker_found *ret)
{
	enum fcgipm_refusal r = FCGIPM_REFUSED_NOT;

	while (r == FCGIPM_REFUSED_NOT && ret->file < 0) {
		w->at += strspn(w->path + w->at, "/");
		r = w->at < w->literal ? step(w, ret) : descend(w, ret);
	}
	return r;
}

enum fcgipm_refusal broker_find(const struct broker_way *way, struct broker_found *ret)
{
	struct walk w = {.dir = -1, .literal = way->literal, .jailed = way->chroot[0] != '\0'};
	struct broker_found found = {.file = -1};
	size_t len = strlen(way->path);
	enum fcgipm_refusal r;

	if (len >= sizeof(w.path))
		return FCGIPM_REFUSED_PATH;
	memcpy(w.path, way->path, len + 1);
	w.root = open(w.jailed ? way->chroot : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w.root < 0)
		return refusal_of(errno);
	r = restart(&w, true);
	if (r == FCGIPM_REFUSED_NOT)
		r = walk(&w, &found);
	fp_close(&w.dir);
	fp_close(&w.root);
	if (r == FCGIPM_REFUSED_NOT)
		*ret = found;
	return r;
}
