/* A pool through which answers go (runs in httpd): the FastCGI role of a filter, as httpd's output filter FCGIPM.  FcgipmFilter POOL inserts it. */
#ifndef MOD_FCGIPM_FILTER_H
#define MOD_FCGIPM_FILTER_H

#include <httpd.h>

void filter_register(apr_pool_t *p);

#endif
