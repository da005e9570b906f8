/* X-Sendfile (runs in httpd). */
#include "mod_fcgipm/sendfile.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mod_fcgipm/config.h"
#include "mod_fcgipm/file.h"
#include "mod_fcgipm/module.h"

APLOG_USE_MODULE(fcgipm);

/* What is behind dir, without a slash; NULL: path is not below it. */
static const char *rest_below(const char *dir, const char *path)
{
	size_t n = strlen(dir);

	if (strncmp(path, dir, n) != 0 || path[n] != '/')
		return NULL;
	path += n;
	return path + strspn(path, "/");
}

/* The kernel resolves the rest and refuses whatever leads out of dir: "..", links; a FIFO cannot hold it. */
static int open_below(const char *dir, const char *rest)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	int base = open(*dir != '\0' ? dir : "/", O_PATH | O_DIRECTORY | O_CLOEXEC), fd, error;

	if (base < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, base, *rest != '\0' ? rest : ".", &how, sizeof(how));
	error = errno;
	close(base);
	errno = error;
	return fd;
}

static apr_file_t *wrap(request_rec *r, int fd)
{
	const core_dir_config *core = ap_get_core_module_config(r->per_dir_config);
	apr_int32_t flags = APR_FOPEN_READ | APR_FOPEN_BINARY | (core->enable_sendfile == ENABLE_SENDFILE_ON ? APR_FOPEN_SENDFILE_ENABLED : 0);
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EACCES;
		return NULL;
	}
	ap_update_mtime(r, apr_time_from_sec(st.st_mtime));
	ap_set_last_modified(r);
	return file_of(r, fd, flags);
}

apr_file_t *sendfile_open(request_rec *r, const char *path, const char *root)
{
	const apr_array_header_t *dirs = config_of(r)->sendfile;
	const char *full = apr_pstrcat(r->pool, root, path, NULL);
	apr_file_t *f = NULL;

	errno = EPERM; /* below none of them */
	for (int i = 0; i < dirs->nelts && f == NULL; i++) {
		const char *dir = APR_ARRAY_IDX(dirs, i, const char *), *rest = rest_below(dir, full);
		int fd = rest != NULL ? open_below(dir, rest) : -1;

		if (fd >= 0)
			f = wrap(r, fd);
	}
	if (f == NULL)
		ap_log_rerror(APLOG_MARK, APLOG_ERR, errno, r, "FP0203: X-Sendfile: %s is no file below a directory of FcgipmSendfile", full);
	return f;
}
