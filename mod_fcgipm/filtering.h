/* What filters have in common, whoever it is that changes the answer (runs in httpd). */
#ifndef MOD_FCGIPM_FILTERING_H
#define MOD_FCGIPM_FILTERING_H

#include <httpd.h>
#include <stdbool.h>
#include <util_filter.h>

/* The answer cannot be had: an error goes on in its place. */
apr_status_t filtering_fail(ap_filter_t *f, int status);
/* Fields that do not hold for what becomes of the answer. */
void filtering_unset_validators(request_rec *r);
/* What comes is not whole, and never will be. */
bool filtering_has_error(apr_bucket_brigade *bb);

#endif
