/* X-Sendfile: the application names a file that httpd sends (runs in httpd). */
#ifndef MOD_FCGIPM_SENDFILE_H
#define MOD_FCGIPM_SENDFILE_H

#include <httpd.h>
#include <apr_file_io.h>

/* A regular file below one of FcgipmSendfile's directories, compared by component and opened without leaving them; else NULL, which is logged.
 * root: of the application's file system. */
apr_file_t *sendfile_open(request_rec *r, const char *path, const char *root);

#endif
