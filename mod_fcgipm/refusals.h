/* What the exec broker's refusals are to a request (runs in httpd's children). */
#ifndef MOD_FCGIPM_REFUSALS_H
#define MOD_FCGIPM_REFUSALS_H

#include "mod_fcgipm/failure.h"

/* enum fcgipm_refusal */
enum failure refusal_failure(int refusal);
/* -errno: the question itself failed. */
enum failure refusal_of_error(int error);
/* -errno of httpd's own attempt */
enum failure refusal_of_local(int error);

#endif
