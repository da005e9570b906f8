/* This child's connections to the exec broker (runs in httpd's children): taken for a run, given back behind it, so that nobody connects for each request.
 * Any thread may call. */
#ifndef MOD_FCGIPM_BROKERS_H
#define MOD_FCGIPM_BROKERS_H

#include <stdbool.h>

#include "include/fcgipm/client.h"

/* Of one control socket; lives as long as the process.  NULL: no memory. */
struct brokers;
struct brokers *brokers_new(const char *control);
const char *brokers_control(const struct brokers *b);
/* /dev/null, for who reads nothing; -1. */
int brokers_null(const struct brokers *b);

/* A connection on which nothing runs; *ret_used: it has been used before, and the other side may have gone since.  To be given back or closed.
 * 0, -errno as of fcgipm_broker_open(). */
int brokers_take(struct brokers *b, struct fcgipm_broker **ret, bool *ret_used, struct fcgipm_error *err);
/* running: the end of what it started has not been read yet; it is looked at when the connection is wanted again. */
void brokers_give(struct brokers *b, struct fcgipm_broker *broker, bool running);

#endif
