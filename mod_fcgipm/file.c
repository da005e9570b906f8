/* Descriptors as files (runs in httpd). */
#include "mod_fcgipm/file.h"

#include <apr_portable.h>
#include <stdint.h>
#include <unistd.h>

static apr_status_t close_fd(void *fd)
{
	close((int)(intptr_t)fd);
	return APR_SUCCESS;
}

/* apr_os_file_put() registers no cleanup, and apr_file_setaside() on the way to a slow client hands none on: the descriptor itself is what is closed. */
apr_file_t *file_of(request_rec *r, int fd, apr_int32_t flags)
{
	apr_os_file_t os = fd;
	apr_file_t *f = NULL;

	if (apr_os_file_put(&f, &os, flags, r->pool) != APR_SUCCESS) {
		close(fd);
		return NULL;
	}
	apr_pool_cleanup_register(r->pool, (void *)(intptr_t)fd, close_fd, apr_pool_cleanup_null);
	return f;
}
