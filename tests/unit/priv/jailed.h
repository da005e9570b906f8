/* Runs a program through the jail, by the fcgipm-start of this build, and returns what it wrote; the account of the tests needs no entry in any database. */
#ifndef TESTS_PRIV_JAILED_H
#define TESTS_PRIV_JAILED_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/priv/caps.h"
#include "fcgipm/priv/jail.h"
#include "fcgipm/priv/job.h"
#include "fcgipm/priv/spawn.h"

enum { ACCOUNT = 64101, GROUP = 64102, OTHER = 64103, OUT_OF_THE_WAY = 200 };

struct jailed {
	char out[65536];
	struct priv_report report;
	bool reported;
	int status;
};

/* The program of this build, beside the tests. */
static inline int open_starter(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	int low, fd;

	assert_true(n > 0);
	path[n] = '\0';
	*strstr(path, "/tests/unit/") = '\0';
	assert_true(strlen(path) + 64 < sizeof(path));
	strcat(path, "/libexec/fcgipm/fcgipm-start");
	low = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(low >= 0);
	fd = fcntl(low, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
	close(low);
	return fd;
}

/* Called in the child before the jail: what the test wants it to be different from. */
typedef void before_jail(struct priv_jail *j);

#define NEED_ROOT()                                                                                                                                            \
	do {                                                                                                                                                   \
		if (geteuid() != 0) {                                                                                                                          \
			print_message("skipped: needs to be root\n");                                                                                          \
			skip();                                                                                                                                \
		}                                                                                                                                              \
	} while (0)

static inline struct priv_jail jail_for(const char *const *argv)
{
	static const char *const none[] = {NULL};

	return (struct priv_jail){
		.new_session = true,
		.change_account = true,
		.uid = ACCOUNT,
		.gid = GROUP,
		.chroot = "",
		.directory = "/",
		.umask = 027,
		.no_new_privs = true,
		.exec_fd = -1,
		.path = argv[0],
		.argv = argv,
		.envp = none,
	};
}

static inline void read_all(int fd, char *buf, size_t cap)
{
	size_t len = 0;
	ssize_t n;

	while (len + 1 < cap && (n = read(fd, buf + len, cap - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
}

static inline void run_jailed(struct priv_jail *j, before_jail *before, struct jailed *ret)
{
	int out[2], report[2], null = open("/dev/null", O_RDWR | O_CLOEXEC), starter = open_starter(), pidfd = -1, pid;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, report), 0);
	j->stdio[0] = null;
	j->stdio[1] = j->stdio[2] = out[1];
	j->report_fd = report[1];
	pid = priv_fork(&pidfd);
	if (pid == 0) {
		int theirs = fcntl(report[0], F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);

		if (before != NULL)
			before(j);
		j->permitted = priv_caps_permitted();
		if (priv_job_send(theirs, j) < 0)
			_exit(98);
		priv_start_exec(starter, j);
	}
	assert_true(pid > 0);
	close(out[1]);
	close(report[1]);
	close(null);
	close(starter);
	read_all(out[0], ret->out, sizeof(ret->out));
	ret->reported = read(report[0], &ret->report, sizeof(ret->report)) == (ssize_t)sizeof(ret->report);
	assert_int_equal(waitpid(pid, &ret->status, __WALL), pid);
	close(out[0]);
	close(report[0]);
	close(pidfd);
}

static inline void expect_step(const struct jailed *r, enum priv_step step, int error)
{
	assert_true(r->reported);
	assert_string_equal(priv_step_name(r->report.step), priv_step_name(step));
	assert_int_equal(r->report.error, error);
	assert_true(WIFEXITED(r->status));
	assert_int_equal(WEXITSTATUS(r->status), 127);
}

static inline void expect_ran(const struct jailed *r)
{
	if (r->reported)
		fail_msg("step %s failed: %s", priv_step_name(r->report.step), strerror(r->report.error));
	assert_true(WIFEXITED(r->status));
	assert_int_equal(WEXITSTATUS(r->status), 0);
}

/* The line "NAME:\tVALUE" of /proc/PID/status and of nothing else. */
static inline void expect_line(const char *text, const char *line)
{
	char whole[256];

	snprintf(whole, sizeof(whole), "\n%s\n", line);
	if (strstr(text, whole) == NULL)
		fail_msg("no line \"%s\" in:\n%s", line, text);
}

#endif
