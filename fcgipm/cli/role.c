/* The other executables of fcgipm (command line). */
#include "fcgipm/cli/role.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/text.h"

extern char **environ;

int role_path(const char *role, char *buf, size_t cap, struct fp_err *err)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self));
	struct fp_text t = {.at = buf, .cap = cap};
	char *slash;

	if (len < 0)
		return fp_fail(err, errno, "cannot read /proc/self/exe: %m");
	if ((size_t)len >= sizeof(self))
		return fp_fail(err, ENAMETOOLONG, "the path of fcgipm is too long");
	self[len] = '\0';
	slash = strrchr(self, '/');
	if (slash == NULL)
		return fp_fail(err, ENOENT, "fcgipm does not know where it is");
	*slash = '\0';
	fp_text_add(&t, "%s/../libexec/fcgipm/fcgipm-%s", self, role);
	return t.cut ? fp_fail(err, ENAMETOOLONG, "the path of fcgipm is too long") : 0;
}

int role_exec(const char *role, char **argv, struct fp_err *err)
{
	char path[PATH_MAX];
	int r = role_path(role, path, sizeof(path), err);

	if (r < 0)
		return r;
	argv[0] = path;
	execv(path, argv);
	return fp_fail(err, errno, "cannot run %s: %m", path);
}

static int start(const char *path, char **argv, int out, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r != 0)
		return -r;
	r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn(ret_pid, path, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Reads to the end; -EPROTO when that does not fit. */
static int read_text(int fd, char *buf, size_t cap)
{
	ssize_t len = fp_read_to_end(fd, buf, cap);

	if (len < 0)
		return (int)len;
	if ((size_t)len == cap)
		return -EPROTO;
	if (len > 0 && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return len > 0 && strlen(buf) == (size_t)len ? 0 : -EPROTO;
}

static int ended_well(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPROTO;
}

int role_output(const char *role, char **argv, char *buf, size_t cap, struct fp_err *err)
{
	char path[PATH_MAX];
	int pipes[2], r = role_path(role, path, sizeof(path), err), ended;
	pid_t pid;

	if (r < 0)
		return r;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return fp_fail(err, errno, "pipe: %m");
	argv[0] = path;
	r = start(path, argv, pipes[1], &pid);
	fp_close(&pipes[1]);
	if (r == 0) {
		r = read_text(pipes[0], buf, cap);
		fp_close(&pipes[0]);
		ended = ended_well(pid);
		r = r == 0 ? ended : r;
	}
	fp_close(&pipes[0]);
	return r < 0 ? fp_fail(err, -r, "%s: %m", path) : 0;
}
