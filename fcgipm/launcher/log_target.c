/* Where the log goes (launcher process).  Nothing of it is the environment's to say: a file is one that root may append to, a socket is where the system has
 * it (/dev/log, /run/systemd/journal/socket: directories of root's), and $JOURNAL_STREAM can do no more than choose between the journal's socket and the
 * standard error that it describes. */
#include "fcgipm/launcher/log_target.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/priv/files.h"

static int open_file(const struct launcher *l, int *ret_fd, struct fp_err *err)
{
	struct priv_place at;
	int r = priv_walk(l->log_target, PRIV_NO_ACCOUNT, &at, err);

	if (r < 0)
		return fp_fail_prefix(err, "manager.log.target: ");
	r = priv_open_output_at(at.dir, at.base, ret_fd, err);
	fp_close(&at.dir);
	return r;
}

static int open_stderr(int *ret_fd, struct fp_err *err)
{
	*ret_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	return *ret_fd < 0 ? fp_fail(err, errno, "cannot use standard error: %m") : 0;
}

/* A daemon that is not there yet is no failure: what is lost meanwhile is counted. */
static int open_socket(int *ret_fd, struct fp_err *err)
{
	*ret_fd = fp_log_socket();
	return *ret_fd < 0 ? fp_fail(err, -*ret_fd, "cannot make a socket for the log: %m") : 0;
}

static bool journal_answers(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	fp_autoclose int fd = fp_log_socket();

	strncpy(a.sun_path, fp_log_address(FP_LOG_JOURNAL), sizeof(a.sun_path) - 1);
	return fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
}

/* systemd.exec(5): device and inode of the stream that it made our standard error; who has redirected that since wants lines there. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, ours) == 0;
}

static enum fp_log_sink sink_of(const char *target)
{
	if (target == NULL || strcmp(target, "stderr") == 0)
		return stderr_is_journal() && journal_answers() ? FP_LOG_JOURNAL : FP_LOG_LINES;
	if (strcmp(target, "syslog") == 0)
		return FP_LOG_SYSLOG;
	return strcmp(target, "journal") == 0 ? FP_LOG_JOURNAL : FP_LOG_LINES;
}

int log_target_open(struct launcher *l, struct fp_err *err)
{
	enum fp_log_sink sink = sink_of(l->log_target);
	int fd = -1, r;

	if (sink != FP_LOG_LINES)
		r = open_socket(&fd, err);
	else if (l->log_target != NULL && l->log_target[0] == '/')
		r = open_file(l, &fd, err);
	else
		r = open_stderr(&fd, err);
	if (r < 0)
		return r;
	fp_close(&l->log_fd);
	l->log_fd = fd;
	l->log_sink = sink;
	log_target_settle(l);
	return 0;
}

void log_target_settle(const struct launcher *l)
{
	fp_log_setup_to(&(struct fp_log_to){.fd = l->log_fd, .sink = l->log_sink, .level = l->log_level, .format = l->log_format});
}

/* write(2) to an unconnected socket is lost, and what a library says there is too rare and too grave for that. */
int log_target_stderr(const struct launcher *l)
{
	return l->log_sink == FP_LOG_LINES ? l->log_fd : STDERR_FILENO;
}

int log_target_share(const struct launcher *l)
{
	return l->log_sink == FP_LOG_LINES ? fcntl(l->log_fd, F_DUPFD_CLOEXEC, 3) : fp_log_socket();
}
