/* A program through which answers go: the output filter FCGIPM_EXT, which FcgipmExtFilter inserts (runs in httpd). */
#ifndef MOD_FCGIPM_EXT_FILTER_H
#define MOD_FCGIPM_EXT_FILTER_H

#include <httpd.h>

void ext_filter_register(apr_pool_t *p);

#endif
