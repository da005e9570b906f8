/* What a request carries (command line).  Whatever is not a regular file is copied into memory first, because its
 * length must be known. */
#include "fcgipm/cli/request_body.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"

static int take(int *fd, const char *name, struct request_body *ret, struct fp_err *err)
{
	struct stat st;

	if (fstat(*fd, &st) < 0 || lseek(*fd, 0, SEEK_SET) < 0)
		return fp_fail(err, errno, "%s: %m", name);
	*ret = (struct request_body){.fd = FP_TAKE_FD(*fd), .bytes = st.st_size, .mtime = st.st_mtim.tv_sec};
	return 0;
}

/* Everything that can be read from from, in a memfd. */
static int copy_all(int from, int *ret_fd)
{
	fp_autoclose int to = memfd_create("body", MFD_CLOEXEC);
	char buf[65536];

	if (to < 0)
		return -errno;
	for (;;) {
		ssize_t n = read(from, buf, sizeof(buf));
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		r = fp_write_full(to, buf, (size_t)n);
		if (r < 0)
			return r;
	}
	*ret_fd = FP_TAKE_FD(to);
	return 0;
}

int request_body_open_file(const char *path, struct request_body *ret, struct fp_err *err)
{
	fp_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC), copy = -1;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fp_fail(err, errno, "%s: %m", path);
	if (S_ISREG(st.st_mode))
		return take(&fd, path, ret, err);
	r = copy_all(fd, &copy);
	return r < 0 ? fp_fail(err, -r, "%s: %m", path) : take(&copy, path, ret, err);
}

int request_body_open(const char *what, struct request_body *ret, struct fp_err *err)
{
	fp_autoclose int fd = -1;
	int r;

	if (what[0] == '@')
		return request_body_open_file(what + 1, ret, err);
	if (strcmp(what, "-") == 0)
		r = copy_all(STDIN_FILENO, &fd);
	else
		r = fp_memfd_sealed("body", what, strlen(what), &fd);
	return r < 0 ? fp_fail(err, -r, "the body: %m") : take(&fd, "the body", ret, err);
}

void request_body_close(struct request_body *b)
{
	fp_close(&b->fd);
}
