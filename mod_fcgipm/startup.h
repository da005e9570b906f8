/* What the log is told when httpd has read its configuration (runs in httpd's parent). */
#ifndef MOD_FCGIPM_STARTUP_H
#define MOD_FCGIPM_STARTUP_H

#include <httpd.h>
#include <stdbool.h>

struct server_config;

/* Whether httpd may run programs itself: where it has no threads, or nobody else could. */
bool startup_permits_local(const struct server_config *c);
/* The hook check_config, also of `httpd -t`. */
int startup_check(apr_pool_t *p, apr_pool_t *log, apr_pool_t *temp, server_rec *s);

/* How requests will wait, and how many can. */
void startup_say_how_requests_wait(apr_pool_t *temp, server_rec *s);

#endif
