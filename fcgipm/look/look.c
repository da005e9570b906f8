/* What only the account's own rights can show (look process, under the pool's account, no capability).  Paths are resolved by openat2(2) with
 * RESOLVE_IN_ROOT below the chroot's directory, so that a link in it cannot lead out, and no chroot is needed. */
#include "fcgipm/look/look.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/look/magic.h"
#include "fcgipm/priv/environment.h"

enum { INTERPRETERS_MAX = 4, INTERPRETER_PATH = 512 };

struct view {
	const struct spec_pool *pool;
	int root;
	struct fp_text *findings;
	unsigned count;
};

static void find(struct view *v, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void find(struct view *v, const char *key, const char *fmt, ...)
{
	va_list ap;

	fp_text_add(v->findings, "%s\t", key);
	va_start(ap, fmt);
	fp_text_vadd(v->findings, fmt, ap);
	va_end(ap);
	fp_text_add(v->findings, "\n");
	v->count += key[0] != LOOK_WARNING;
}

static const char *where(const struct view *v)
{
	return v->pool->chroot[0] != '\0' ? " in the chroot" : "";
}

static int open_in_root(const struct view *v, const char *path, uint64_t flags)
{
	struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	long fd = syscall(SYS_openat2, v->root, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

static bool open_root(struct view *v)
{
	const char *root = v->pool->chroot[0] != '\0' ? v->pool->chroot : "/";

	v->root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (v->root < 0) {
		find(v, "chroot", "%s: %s (make the directory, or let uid %u enter it)", root, strerror(errno), (unsigned)geteuid());
		return false;
	}
	if (faccessat(v->root, ".", X_OK, 0) < 0) {
		find(v, "chroot", "%s: uid %u may not enter it (chmod u+x)", root, (unsigned)geteuid());
		return false;
	}
	return true;
}

static void look_directory(struct view *v)
{
	fp_autoclose int fd = -1;

	if (v->pool->directory[0] == '\0')
		return;
	fd = open_in_root(v, v->pool->directory, O_PATH | O_DIRECTORY);
	if (fd < 0)
		find(v, "directory", "%s%s: %s (make it, or name another)", v->pool->directory, where(v), strerror(-fd));
	else if (faccessat(fd, ".", X_OK, 0) < 0)
		find(v, "directory", "%s%s: uid %u may not enter it", v->pool->directory, where(v), (unsigned)geteuid());
}

/* Too large for a stack. */
static struct priv_environment environment;

static void look_environment(struct view *v)
{
	const char *path = v->pool->environment_file;
	struct stat st;
	unsigned line;
	int r;

	if (path[0] == '\0')
		return;
	r = priv_environment_begin(&environment, v->pool->envp);
	if (r == 0)
		r = priv_environment_read(&environment, path, &line);
	if (r == -EINVAL && line > 0)
		find(v, "environment_file", "%s:%u: not NAME=VALUE (a name of letters, digits and _; # begins a comment)", path, line);
	else if (r < 0)
		find(v, "environment_file", "%s: %s (a regular file that uid %u may read, at most 64K)", path, strerror(-r), (unsigned)geteuid());
	else if (stat(path, &st) == 0 && (st.st_mode & S_IROTH) != 0)
		find(v, "~environment_file", "%s: every account can read it (chmod o-r)", path);
}

static ssize_t read_file(void *ctx, void *buf, size_t len, off_t offset)
{
	ssize_t n = pread(*(int *)ctx, buf, len, offset);

	return n < 0 ? -errno : n;
}

/* A regular file that the account may execute; looked at by O_PATH first, since opening a FIFO or a device can have effects of its own. */
static bool is_program(struct view *v, const char *path, const char *role)
{
	fp_autoclose int fd = open_in_root(v, path, O_PATH);
	char self[64];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		find(v, "command", "%s%s%s: %s", role, path, where(v), strerror(fd < 0 ? -fd : errno));
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		find(v, "command", "%s%s%s: not a regular file", role, path, where(v));
		return false;
	}
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (access(self, X_OK) < 0) {
		find(v, "command", "%s%s%s: uid %u may not execute it (chmod +x)", role, path, where(v), (unsigned)geteuid());
		return false;
	}
	return true;
}

/* The command, the interpreter that its first bytes name, that one's, and so on. */
static void look_command(struct view *v)
{
	char path[SPEC_PATH_MAX + 1], next[INTERPRETER_PATH];
	const char *role = "";

	snprintf(path, sizeof(path), "%s", v->pool->argv[0]);
	for (unsigned depth = 0; depth <= INTERPRETERS_MAX; depth++) {
		fp_autoclose int fd = -1;
		enum magic_kind kind;

		if (!is_program(v, path, role))
			return;
		fd = open_in_root(v, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
		if (fd < 0)
			return; /* it may be executed without being readable */
		if (magic_look(&(struct magic_file){read_file, &fd}, &kind, next, sizeof(next)) < 0) {
			find(v, "command", "%s%s: a broken #! line or ELF header", path, where(v));
			return;
		}
		if (next[0] == '\0')
			return;
		role = kind == MAGIC_SCRIPT ? "its #! interpreter " : "its program interpreter ";
		snprintf(path, sizeof(path), "%s", next);
	}
	find(v, "command", "%s: too many interpreters, one behind the other", v->pool->argv[0]);
}

static void look_inside(struct view *v)
{
	if (!open_root(v))
		return;
	look_directory(v);
	look_command(v);
}

unsigned look_at_pool(const struct spec_pool *p, struct fp_text *findings)
{
	struct view v = {.pool = p, .root = -1, .findings = findings};

	if (geteuid() != p->uid || getegid() != p->gid) {
		find(&v, "user", "looked with uid %u, not %u", (unsigned)geteuid(), p->uid);
	} else {
		look_environment(&v);
		look_inside(&v);
	}
	fp_close(&v.root);
	return v.count;
}
