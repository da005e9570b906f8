/* Finding a program (fcgipm-start).  No component is followed by name twice: what is opened is what was looked at, and stays open.
 *
 * In the part of the path that the administrator wrote a link is followed when it is root's: /bin/sh leads to dash.  Below it any link is refused (openat2(2)),
 * for whoever may write there could make it.  Nothing is opened for reading, so neither a FIFO nor a device is touched. */
#include "fcgipm/broker/find.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
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
	const char *path; /* with the links so far replaced */
	size_t at, literal; /* the component to come; where the administrator's part ends */
	unsigned links;
	bool jailed;
	struct broker_found *found;
};

static enum fcgipm_refusal walk_on(struct walk *w);

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

/* Takes fd, and notes whose it is. */
static enum fcgipm_refusal enter(struct walk *w, int fd)
{
	struct broker_found *f = w->found;
	struct stat st;

	fp_close(&w->dir);
	w->dir = fd;
	if (f->depth == BROKER_DEPTH_MAX)
		return FCGIPM_REFUSED_PATH;
	if (fstat(fd, &st) < 0)
		return FCGIPM_REFUSED_STEP;
	f->way[f->depth++] = (struct broker_place){.uid = st.st_uid, .gid = st.st_gid, .mode = st.st_mode};
	return FCGIPM_REFUSED_NOT;
}

static enum fcgipm_refusal begin_at_root(struct walk *w)
{
	int again = fcntl(w->root, F_DUPFD_CLOEXEC, 0);

	w->found->depth = 0;
	return again < 0 ? FCGIPM_REFUSED_STEP : enter(w, again);
}

/* Goes on with the link's target in place of the component, which lies here until the walk is over.  Not inlined: each page of a stack that is touched costs. */
__attribute__((noinline)) static enum fcgipm_refusal follow(struct walk *w, int *link)
{
	char path[PATH_MAX];
	size_t rest = w->at + part_len(w), tail = strlen(w->path + rest) + 1;
	ssize_t n = readlinkat(*link, "", path, sizeof(path));
	enum fcgipm_refusal r = FCGIPM_REFUSED_NOT;

	fp_close(link); /* not one more is open for each link on the way */
	if (n <= 0 || ++w->links > LINKS_MAX || (size_t)n + tail > sizeof(path))
		return FCGIPM_REFUSED_LINK;
	memcpy(path + n, w->path + rest, tail);
	w->path = path;
	w->literal = w->literal - rest + (size_t)n;
	w->at = 0;
	if (path[0] == '/')
		r = begin_at_root(w);
	return r == FCGIPM_REFUSED_NOT ? walk_on(w) : r;
}

/* Root's, or our own; and none below the administrator's part. */
static enum fcgipm_refusal meet_link(struct walk *w, int *link, const struct stat *st)
{
	bool may = w->at < w->literal && (st->st_uid == 0 || st->st_uid == geteuid());

	return may ? follow(w, link) : FCGIPM_REFUSED_LINK;
}

/* Owner and group are what such a file system likes to say. */
static bool is_foreign(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) < 0 || fs.f_type == FUSE_SUPER_MAGIC;
}

static enum fcgipm_refusal take_file(struct walk *w, const char *name)
{
	fp_autoclose int fd = openat(w->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &w->found->st) < 0)
		return refusal_of(errno);
	if (S_ISLNK(w->found->st.st_mode))
		return meet_link(w, &fd, &w->found->st);
	w->found->foreign = is_foreign(fd) || is_foreign(w->dir);
	w->found->file = FP_TAKE_FD(fd);
	return FCGIPM_REFUSED_NOT;
}

/* O_DIRECTORY, so that what is to be mounted there is (autofs(5)).  Beneath, and by no link (openat2(2)); a link fails, and is looked at then. */
static enum fcgipm_refusal take_directory(struct walk *w, const char *name)
{
	static const struct open_how how = {.flags = O_PATH | O_CLOEXEC | O_DIRECTORY, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	fp_autoclose int link = -1;
	int fd = (int)syscall(SYS_openat2, w->dir, name, &how, sizeof(how));
	struct stat st;

	if (fd < 0 && errno == ELOOP) {
		link = openat(w->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (link < 0 || fstat(link, &st) < 0 || !S_ISLNK(st.st_mode))
			return FCGIPM_REFUSED_LINK;
		return meet_link(w, &link, &st);
	}
	if (fd < 0)
		return refusal_of(errno);
	w->at += part_len(w);
	return enter(w, fd);
}

static enum fcgipm_refusal step(struct walk *w)
{
	char name[NAME_MAX + 1];

	w->at += strspn(w->path + w->at, "/");
	if (!name_part(w, &name))
		return FCGIPM_REFUSED_MISSING;
	if (w->jailed && strcmp(name, "..") == 0)
		return FCGIPM_REFUSED_LINK; /* of a link's target; it might lead out */
	return w->path[w->at + part_len(w)] == '\0' ? take_file(w, name) : take_directory(w, name);
}

static enum fcgipm_refusal walk_on(struct walk *w)
{
	enum fcgipm_refusal r = FCGIPM_REFUSED_NOT;

	while (r == FCGIPM_REFUSED_NOT && w->found->file < 0)
		r = step(w);
	return r;
}

enum fcgipm_refusal broker_find(const struct broker_way *way, struct broker_found *ret)
{
	struct walk w = {.dir = -1, .path = way->path, .literal = way->literal, .jailed = way->chroot[0] != '\0', .found = ret};
	enum fcgipm_refusal r;

	if (strlen(way->path) >= PATH_MAX)
		return FCGIPM_REFUSED_PATH;
	ret->file = -1;
	ret->foreign = false;
	w.root = open(w.jailed ? way->chroot : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w.root < 0)
		return w.jailed ? FCGIPM_REFUSED_CHROOT : refusal_of(errno);
	r = begin_at_root(&w);
	if (r == FCGIPM_REFUSED_NOT)
		r = walk_on(&w);
	fp_close(&w.root);
	ret->dir = w.dir;
	if (r != FCGIPM_REFUSED_NOT)
		fp_close(&ret->dir);
	return r;
}
