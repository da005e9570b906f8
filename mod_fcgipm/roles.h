/* Pools that say who may (runs in httpd): the FastCGI role of an authorizer, at three places of a request.
 *
 *   FcgipmAccessChecker POOL                    before it is asked who the client is
 *   FcgipmAuthenticator POOL                    user and password (AuthType Basic): in place of AuthBasicProvider
 *   Require fcgipm POOL, FcgipmAuthorizer POOL  whether the user may: one condition among others, or one that holds beside all others
 *
 * FCGI_APACHE_ROLE tells the application which: ACCESS_CHECKER, AUTHENTICATOR, AUTHORIZER.  A pool that cannot be asked refuses.
 */
#ifndef MOD_FCGIPM_ROLES_H
#define MOD_FCGIPM_ROLES_H

#include <httpd.h>

void roles_register(apr_pool_t *p);

#endif
