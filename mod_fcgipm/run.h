/* One request and the program that it is for, from the question to the end (runs in httpd's children).  It waits in its thread, for everything at once: output,
 * standard error, room for input, the client's body, its leaving, time.
 *
 *   status = run_begin(&run, r, &wish);          OK: go on, else that is the answer
 *   while there is more: run_feed(run, at, len);  where input is RUN_IS_FED
 *   run_wait(run);                                to the end of its output
 *   return run_end(run);
 */
#ifndef MOD_FCGIPM_RUN_H
#define MOD_FCGIPM_RUN_H

#include <httpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "mod_fcgipm/answer.h"
#include "mod_fcgipm/body.h"
#include "mod_fcgipm/program.h"
#include "mod_fcgipm/stderr.h"

struct exec_profile;
struct script_log;

enum run_input {
	RUN_READS_NOTHING,
	RUN_READS_BODY, /* of the request */
	RUN_IS_FED, /* by run_feed() */
};

struct run_wish {
	struct exec_profile *profile;
	const char *const *argv, *const *envp;
	const char *directory; /* NULL: the program's */
	const char *about; /* for the log: the script's path */
	enum run_input input;
	struct answer_wish answer;
};

struct run {
	request_rec *r;
	pid_t owner; /* the process whose run it is */
	struct exec_profile *profile;
	const char *about;
	struct fcgipm_program what; /* for another try */
	struct program program;
	struct body body;
	enum run_input input;
	struct answer answer;
	struct script_log *log; /* NULL: none */
	enum failure failure; /* FAILURE_NONE */
	const char *detail; /* of it */
	int error; /* HTTP status, of a body that could not be read; 0 */
	bool over, aborted, retried, wants_body, answered;
	const char *left; /* input that the pipe did not take yet */
	size_t left_len;
	int client; /* its descriptor; -1 */
	bool heard; /* it has said something since run_flush() began */
	int patience_ms; /* of run_flush() */
	int64_t asked_ms, active_ms, look_ms; /* when; when a byte came or went; when to ask whether it has begun */
	int64_t closed_ms; /* when its output came to its end */
	int64_t timeout_ms; /* FcgipmTimeout */
	struct stderr_lines errors;
};

int run_begin(struct run **ret, request_rec *r, const struct run_wish *wish);
/* Hands it bytes, and its output on.  False: it takes no more. */
bool run_feed(struct run *n, const char *at, size_t len);
/* Hands on what it has to say now, at most a moment later. */
void run_flush(struct run *n);
/* Until its answer is over; what was to be fed has been. */
void run_wait(struct run *n);
/* A handler's return value.  Gives everything back. */
int run_end(struct run *n);

#endif
