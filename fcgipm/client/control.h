/* A connection to the manager: one request at a time, its notes, its end.
 *
 *   struct wire_wr *w = client_begin(c, WIRE_C_RESTART);
 *   wire_put_c_pool(w, &(struct wire_c_pool){.pool = "blog"});
 *   client_call(c, &wait, &answer, err);
 */
#ifndef FCGIPM_CLIENT_CONTROL_H
#define FCGIPM_CLIENT_CONTROL_H

#include <stdint.h>

#include "fcgipm/base/err.h"
#include "fcgipm/wire/control.h"
#include "fcgipm/wire/dgram.h"
#include "include/fcgipm/client.h"

#define CLIENT_FOREVER INT64_MAX

/* While the answer is not there. */
struct client_wait {
	int64_t deadline_ms; /* fp_now_ms() at which to give up, or CLIENT_FOREVER */
	void (*note)(void *ctx, const char *text); /* what the manager tells meanwhile; NULL: nobody listens */
	int (*leased)(void *ctx, struct wire_dgram *d); /* LEASED has come: 0, or -errno to end the call; NULL: refuse */
	void *ctx;
};

struct client_answer {
	uint32_t code;
	int fd; /* of a long answer, else -1; owned */
	const char *text; /* lives until the next call or the end of the client */
};

/* A connected control socket, blocking, close-on-exec; as fcgipm_open(). */
int client_connect(const char *path, int *ret_fd, struct fp_err *err);

/* As fcgipm_open() and fcgipm_close(). */
int client_open(const char *path, struct fcgipm_client **ret, struct fp_err *err);
void client_close(struct fcgipm_client **c);

/* Begins a request; its fields are to be put into what is returned. */
struct wire_wr *client_begin(struct fcgipm_client *c, uint16_t type);
/* Sends it and waits.  0: the manager answered, perhaps with a no; -EMSGSIZE: the request was too long; -ETIMEDOUT;
 * -ECONNRESET: the manager went away; -EPROTO. */
int client_call(struct fcgipm_client *c, const struct client_wait *wait, struct client_answer *ret, struct fp_err *err);

/* The same in two steps, for who has other things to wait for: client_ask() sends; as often as client_fd() can be read, client_await() with a
 * deadline that is now takes what is there, and is -ETIMEDOUT until that was all. */
int client_ask(struct fcgipm_client *c, struct fp_err *err);
int client_await(struct fcgipm_client *c, const struct client_wait *wait, struct client_answer *ret, struct fp_err *err);
int client_fd(const struct fcgipm_client *c);

/* As fcgipm_changed(). */
int client_changed(struct fcgipm_client *c);

#endif
