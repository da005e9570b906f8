/* What the log is told when httpd has read its configuration (runs in httpd's parent). */
#ifndef MOD_FCGIPM_STARTUP_H
#define MOD_FCGIPM_STARTUP_H

#include <httpd.h>

/* How requests will wait, and how many can. */
void startup_say_how_requests_wait(apr_pool_t *temp, server_rec *s);

#endif
