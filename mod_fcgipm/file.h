/* A descriptor as a file of httpd's (runs in httpd). */
#ifndef MOD_FCGIPM_FILE_H
#define MOD_FCGIPM_FILE_H

#include <httpd.h>
#include <apr_file_io.h>

/* Takes fd, which is closed with the request.  NULL: no memory; fd is closed then. */
apr_file_t *file_of(request_rec *r, int fd, apr_int32_t flags);

#endif
