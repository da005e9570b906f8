/* One request to the manager, with what a command does around it: find the socket, connect, print the notes, turn the
 * answer into an exit code.
 *
 *   struct ask ask;
 *   struct wire_wr *w = ask_begin(&ask, cli, WIRE_C_RELOAD);
 *   if (w == NULL)
 *           return ask.code;
 *   wire_put_c_reload(w, &...);
 *   return ask_finish(&ask);
 */
#ifndef FCGIPM_CLI_ASK_H
#define FCGIPM_CLI_ASK_H

#include "fcgipm/cli/cli.h"
#include "fcgipm/client/control.h"

enum { CLI_KEY_NO_WAIT = CLI_KEY_LONG };
#define CLI_OPTION_NO_WAIT                                                                                                                                     \
	{                                                                                                                                                      \
		CLI_KEY_NO_WAIT, "no-wait", NULL, "return when it was asked, not when it is done"                                                              \
	}

struct ask {
	const struct cli *cli;
	struct fcgipm_client *client;
	int code;
};

/* Where the control socket is: in buf, or text that is not the caller's. */
const char *ask_path(const struct cli *cli, char *buf, size_t cap);
/* The connection alone, there or at a path; NULL: it was said why, and ask->code is the exit code. */
struct fcgipm_client *ask_open(struct ask *ask, const struct cli *cli);
struct fcgipm_client *ask_open_at(struct ask *ask, const struct cli *cli, const char *path);
/* Where the request's fields go; NULL as above. */
struct wire_wr *ask_begin(struct ask *ask, const struct cli *cli, uint16_t type);
/* Sends, waits for as long as it takes, prints what the manager says, closes.  Returns the exit code. */
int ask_finish(struct ask *ask);
/* The same, leaving a long answer in *ret_fd (-1: there was none). */
int ask_finish_fd(struct ask *ask, int *ret_fd);

/* A whole command whose one argument is a pool. */
int ask_pool(const struct cli *cli, uint16_t type);

#endif
