/* CGI (RFC 3875) by the exec broker: the handler fcgipm-cgi, and mod_cgi's own where FcgipmExecProfile is set (runs in httpd). */
#ifndef MOD_FCGIPM_CGI_H
#define MOD_FCGIPM_CGI_H

#include <httpd.h>

/* By which it is run, in either case. */
#define CGI_HANDLER "fcgipm-cgi"

void cgi_register(apr_pool_t *p);

#endif
