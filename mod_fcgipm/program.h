/* A program under way: started by the exec broker, or, under the profile "local", by httpd itself (runs in httpd's children).  Knows nothing of what it is for.
 *
 * Its standard input, output and error are pipes of our own making, whose other ends go along with the question: whatever becomes of it, it is seen at the pipes,
 * and the broker need be listened to only when they have come to their end.  So a short program costs one message each way before its answer has gone out.
 */
#ifndef MOD_FCGIPM_PROGRAM_H
#define MOD_FCGIPM_PROGRAM_H

#include <httpd.h>
#include <apr_thread_proc.h>
#include <stdbool.h>

#include "include/fcgipm/client.h"

struct brokers;

enum program_state {
	PROGRAM_ASKED, /* it may be waiting for its turn */
	PROGRAM_STARTED,
	PROGRAM_ENDED, /* end says how */
	PROGRAM_REFUSED, /* refusal says why */
	PROGRAM_LOST, /* and so is the connection to the broker; why */
};

/* In place of a descriptor in what is asked for. */
enum { PROGRAM_PIPE = -1, PROGRAM_NULL = -2 };

struct program {
	request_rec *r;
	struct brokers *brokers;
	struct fcgipm_broker *broker; /* NULL: it is local */
	bool used; /* the connection has served before */
	apr_proc_t *local;
	int pid, pidfd; /* once started; pidfd only of a local one */
	int stdio[3]; /* our ends; -1: there is none, or it has been closed */
	enum program_state state;
	int refusal; /* enum fcgipm_refusal */
	struct fcgipm_end end;
	const char *why; /* of r's pool */
};

/* Asks for it.  what->profile NULL: local.  0, -errno with *err: nothing is to be ended. */
int program_begin(struct program *p, request_rec *r, struct brokers *brokers, const struct fcgipm_program *what, struct fcgipm_error *err);
/* To be polled for POLLIN while it is asked for or runs: then program_look() may have something new; -1: never. */
int program_fd(const struct program *p);
/* Brings state up to date; does not wait. */
void program_look(struct program *p);
/* Ends it: SIGTERM, later SIGKILL. */
void program_cancel(struct program *p);
/* Closes our end of one of its descriptors. */
void program_close(struct program *p, int which);
/* Gives back what is held.  leave: if it still runs it may go on until it has ended, or the child of httpd has; else its end is the profile's business. */
void program_end(struct program *p, bool leave);
/* "killed by signal 9", "exit status 3"; of r's pool. */
const char *program_how(const struct program *p);

#endif
