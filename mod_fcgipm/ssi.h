/* Server side includes: <!--#exec cgi="..." --> and <!--#exec cmd="..." --> by the exec broker, where FcgipmExecProfile is set (runs in httpd). */
#ifndef MOD_FCGIPM_SSI_H
#define MOD_FCGIPM_SSI_H

#include <httpd.h>

void ssi_register(apr_pool_t *p);

#endif
