/* The pools that the configuration names outright (runs in httpd's parent). */
#ifndef MOD_FCGIPM_NAMED_H
#define MOD_FCGIPM_NAMED_H

#include <apr_tables.h>

/* Of const char *. */
apr_array_header_t *named_pools(apr_pool_t *p);

#endif
