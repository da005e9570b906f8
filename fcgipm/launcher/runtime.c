/* Directories, lock, control socket (launcher process).  All of it is root's own (or the ordinary user's): nobody else can write on the way there. */
#include "fcgipm/launcher/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/launcher/holder.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/log_target.h"
#include "fcgipm/priv/caps.h"
#include "fcgipm/priv/files.h"
#include "fcgipm/probe/queue.h"
#include "fcgipm/wire/dgram.h"

enum { CONTROL_BACKLOG = 128 };

static int find_exe_dir(struct launcher *l, struct fp_err *err)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n < 0)
		return fp_fail(err, errno, "cannot read /proc/self/exe (is /proc mounted?): %m");
	path[n] = '\0';
	slash = strrchr(path, '/');
	*slash = '\0';
	l->exe_dir = strdup(path);
	if (l->exe_dir == NULL)
		return -ENOMEM;
	return 0;
}

/* What is there is kept: an upgrade of the files changes nothing for who runs. */
static int open_programs(struct launcher *l, struct fp_err *err)
{
	l->starter_fd = runtime_open_role(l, "fcgipm-start");
	if (l->starter_fd < 0)
		return fp_fail(err, -l->starter_fd, "cannot open %s/fcgipm-start, which starts all that we run: %m", l->exe_dir);
	l->library_fd = runtime_open_role(l, "../../lib/fcgipm/libfcgipm-prefork.so"); /* without it every worker is started by its command, as ever */
	return 0;
}

/* conf's account; an ordinary user is all accounts himself. */
static int find_accounts(struct launcher *l, struct fp_err *err)
{
	struct passwd *pw;

	l->self = (struct account){.uid = geteuid(), .gid = getegid()};
	l->ordinary = l->self.uid != 0;
	l->conf = l->manager = l->self;
	if (l->ordinary)
		return 0;
	pw = getpwnam("fcgipm-conf");
	if (pw == NULL)
		return fp_fail(err, ENOENT, "no account fcgipm-conf; make it: useradd --system --no-create-home --shell /usr/sbin/nologin fcgipm-conf");
	if (pw->pw_uid == 0 || pw->pw_gid == 0)
		return fp_fail(err, EPERM, "the account fcgipm-conf is root's");
	l->conf = (struct account){.uid = pw->pw_uid, .gid = pw->pw_gid};
	return 0;
}

int runtime_init(struct launcher *l, struct fp_err *err)
{
	int r = find_exe_dir(l, err);

	if (r == 0)
		r = open_programs(l, err);
	if (r == 0)
		r = find_accounts(l, err);
	if (r < 0)
		return r;
	l->permitted = priv_caps_permitted();
	l->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (l->null_fd < 0)
		return fp_fail(err, errno, "cannot open /dev/null: %m");
	l->diag_fd = probe_diag_open();
	if (l->diag_fd < 0)
		return fp_fail(err, -l->diag_fd, "cannot open a sock_diag socket: %m");
	return log_target_open(l, err);
}

char *runtime_default(const struct launcher *l)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	char *path = NULL;
	int n;

	if (!l->ordinary)
		return strdup("/run/fcgipm");
	if (xdg != NULL && xdg[0] == '/')
		n = asprintf(&path, "%s/fcgipm", xdg);
	else
		n = asprintf(&path, "/tmp/fcgipm-%u", (unsigned)l->self.uid);
	return n < 0 ? NULL : path;
}

static int path_in(const struct launcher *l, const char *name, char *buf, size_t cap, struct fp_err *err)
{
	int n = snprintf(buf, cap, "%s/%s", l->runtime, name);

	return n < 0 || (size_t)n >= cap ? fp_fail(err, ENAMETOOLONG, "manager.runtime_directory is too long") : 0;
}

/* 0711: a frontend may pass through to a socket that it knows, nobody may list. */
static int make_dirs(const struct launcher *l, struct fp_err *err)
{
	static const struct {
		const char *name;
		mode_t mode;
	} dirs[] = {{"", 0711}, {"pools", 0711}, {"private", 0700}};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		int r = path_in(l, dirs[i].name, path, sizeof(path), err);

		if (r == 0 && dirs[i].name[0] == '\0')
			path[strlen(path) - 1] = '\0';
		if (r == 0)
			r = priv_make_dir(path, dirs[i].mode, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int take_lock(struct launcher *l, struct fp_err *err)
{
	char path[PATH_MAX], pid[32] = "";
	struct stat ours, there;
	int r = path_in(l, "launcher.lock", path, sizeof(path), err);

	if (r < 0)
		return r;
	l->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (l->lock_fd < 0)
		return fp_fail(err, errno, "cannot open %s: %m", path);
	if (flock(l->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		ssize_t n = read(l->lock_fd, pid, sizeof(pid) - 1);

		fp_close(&l->lock_fd);
		return fp_fail(err, EBUSY, "another fcgipm (pid %.*s) runs in %s", n > 0 ? (int)strcspn(pid, "\n") : 1, n > 0 ? pid : "?", l->runtime);
	}
	if (fstat(l->lock_fd, &ours) < 0 || stat(path, &there) < 0 || ours.st_ino != there.st_ino || ours.st_dev != there.st_dev) {
		fp_close(&l->lock_fd);
		return take_lock(l, err); /* an fcgipm that was ending has removed this one meanwhile */
	}
	snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(l->lock_fd, 0) < 0 || write(l->lock_fd, pid, strlen(pid)) < 0)
		return fp_fail(err, errno, "cannot write %s: %m", path);
	return 0;
}

/* We hold the lock, so a socket that is there is a dead one's.  What is no socket is somebody's and stays. */
static int clear_name(const char *path, struct fp_err *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : fp_fail(err, errno, "%s: %m", path);
	if (!S_ISSOCK(st.st_mode))
		return fp_fail(err, EEXIST, "%s is in the way and is no socket", path);
	return unlink(path) < 0 ? fp_fail(err, errno, "cannot remove %s: %m", path) : 0;
}

/* 0666: who may do what is decided by SO_PEERCRED, message by message. */
static int bind_control(struct launcher *l, struct fp_err *err)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int r = path_in(l, "control.sock", a.sun_path, sizeof(a.sun_path), err);
	mode_t mask;

	if (r == 0)
		r = clear_name(a.sun_path, err);
	if (r < 0)
		return r;
	l->control_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->control_fd < 0)
		return fp_fail(err, errno, "cannot make the control socket: %m");
	wire_let_fds(l->control_fd, false); /* no request to the manager brings a descriptor */
	mask = umask(0111);
	r = bind(l->control_fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(l->control_fd, CONTROL_BACKLOG) < 0 ? -errno : 0;
	umask(mask);
	return r < 0 ? fp_fail(err, -r, "cannot bind %s: %m", a.sun_path) : 0;
}

int runtime_open(struct launcher *l, struct fp_err *err)
{
	int r = make_dirs(l, err);

	if (r == 0)
		r = take_lock(l, err);
	if (r == 0)
		r = bind_control(l, err);
	if (r == 0)
		holder_open(l);
	return r;
}

static void remove_in(const struct launcher *l, const char *name, int flags)
{
	char path[PATH_MAX];

	if (path_in(l, name, path, sizeof(path), NULL) == 0)
		unlinkat(AT_FDCWD, path, flags);
}

void runtime_close(struct launcher *l)
{
	if (l->control_fd >= 0)
		remove_in(l, "control.sock", 0);
	fp_close(&l->control_fd);
	if (l->lock_fd < 0)
		return;
	remove_in(l, "pools", AT_REMOVEDIR); /* only when empty: a socket of somebody else's keeps it */
	remove_in(l, "private", AT_REMOVEDIR);
	remove_in(l, "launcher.lock", 0);
	fp_close(&l->lock_fd);
}

int runtime_open_role(const struct launcher *l, const char *name)
{
	char path[PATH_MAX];
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", l->exe_dir, name) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
