/* For other modules of Apache httpd: to run a program from any MPM without a fork in httpd.
 *
 * mod_fcgipm offers these as optional functions (apr_optional.h); a module that uses them links nothing and loads without it:
 *
 *   static APR_OPTIONAL_FN_TYPE(fcgipm_exec) *exec;
 *
 *   exec = APR_RETRIEVE_OPTIONAL_FN(fcgipm_exec);            in the optional_fn_retrieve hook; NULL: mod_fcgipm is not loaded
 *
 *   const char *const argv[] = {"/usr/bin/tr", "a-z", "A-Z", NULL};
 *   struct fcgipm_program what = {.argv = argv, .stdio = {-1, -1, -1}};
 *   struct fcgipm_httpd_run *run;
 *   const char *why;
 *
 *   if (exec(r, &what, apr_time_from_sec(5), &run, &why) == APR_SUCCESS)
 *           ...write to run->stdio[0], read run->stdio[1] and run->stdio[2]...
 *
 * Everything is of the request: with its pool the descriptors are closed, and a program that still runs is ended as its profile says (SIGTERM, later SIGKILL).
 * A request is served by one thread at a time, and so is a run.
 */
#ifndef FCGIPM_HTTPD_H
#define FCGIPM_HTTPD_H

#include <httpd.h>
#include <apr_optional.h>
#include <apr_time.h>

#include "client.h"

struct fcgipm_httpd_run {
	int stdio[3]; /* our ends of the pipes, blocking, close-on-exec; -1: a descriptor was given.  To close or to keep one yourself, put -1 in its place. */
	int pid;
};

/* Starts what, waiting timeout at most (-1: for ever) for its turn and for exec.  what->profile: of the exec broker at FcgipmControl's socket; "local": httpd runs
 * it itself, where that may be (docs/mod_fcgipm.md); NULL: what FcgipmExecProfile says for the request's directory.  what->envp NULL: no environment.  Descriptors
 * that are given stay the caller's.
 * APR_EACCES: refused; APR_EAGAIN: too many run and wait; APR_TIMEUP: cancelled; APR_ENOTIMPL: no profile, or local where that may not be; others: the broker
 * cannot be reached.  *ret_why, which may be NULL, is for people then. */
APR_DECLARE_OPTIONAL_FN(apr_status_t, fcgipm_exec,
			(request_rec * r, const struct fcgipm_program *what, apr_interval_time_t timeout, struct fcgipm_httpd_run **ret, const char **ret_why));

/* Waits for its end.  APR_TIMEUP: it runs on; APR_ECONNRESET: the broker has gone, and what ran with it. */
APR_DECLARE_OPTIONAL_FN(apr_status_t, fcgipm_exec_wait, (struct fcgipm_httpd_run * run, apr_interval_time_t timeout, struct fcgipm_end *ret));

/* SIGTERM and, later, SIGKILL.  Does not wait. */
APR_DECLARE_OPTIONAL_FN(void, fcgipm_exec_cancel, (struct fcgipm_httpd_run * run));

#endif
