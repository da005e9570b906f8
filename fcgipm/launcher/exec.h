/* The exec broker in the launcher: connections of clients that the manager handed on (exec_client.c), and what runs for them (exec_run.c).
 *
 * A client is judged by what the kernel says of it when its connection is taken, and by the profile whenever it asks; what it sends is foreign bytes.  The launcher
 * waits for none of it: neither for a client that does not read, nor for a file, nor for what runs.  Descriptors of a
 * client it never has: to close one can take for ever.
 */
#ifndef FCGIPM_LAUNCHER_EXEC_H
#define FCGIPM_LAUNCHER_EXEC_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/launcher/cgroup.h"
#include "fcgipm/launcher/child.h"
#include "fcgipm/launcher/ledger.h"
#include "fcgipm/launcher/loop.h"
#include "fcgipm/probe/peer.h"
#include "fcgipm/spec/spec.h"
#include "fcgipm/wire/cursor.h"
#include "include/fcgipm/refusal.h"

enum {
	EXEC_CLIENTS = 8192, /* connections in all */
	EXEC_WAITING_BYTES = 64 << 20, /* of all that waits */
	EXEC_SHARE = 2, /* that part of either is the most that one account may have, but root */
};

struct launcher;
struct profile;
struct run;
struct wire_x_run;

/* What its clients have in all. */
struct exec_account {
	struct exec_account *next;
	uint32_t uid, clients;
	size_t bytes;
};

struct exec_client {
	struct exec_client *next, **at; /* at: what points to it */
	struct launcher *launcher;
	struct loop_source source;
	struct probe_peer peer;
	struct exec_account *account;
	int descends; /* from a worker of ours, or from what we run: 0, 1, or -errno */
	struct run *run; /* what it asked for and has not ended */
	struct wire_blob words; /* what has come of the next run's; malloc'd */
	enum fcgipm_refusal words_refused; /* why they are not kept */
	char profile[SPEC_NAME_MAX + 1], program[256]; /* of its last request, cut, for the log */
	bool holds; /* its request is still in the socket, for the child that takes its descriptors */
};

/* So many refusals are logged at once, and so many a second after that; missed: since the last one that was. */
enum { EXEC_LOG_BURST = 256, EXEC_LOG_RATE = 10 };
struct exec_log {
	int64_t spent, since_ms;
	uint64_t missed;
};

struct exec {
	struct loop
		loop; /* clients' connections, one event a turn of the launcher's: many that ask at once keep neither the manager nor the end of a run waiting */
	struct loop_source turn;
	struct profile *profiles;
	struct exec_client *clients;
	struct exec_account *accounts; /* that have clients */
	uint32_t client_count, running;
	size_t waiting_bytes; /* words that are kept */
	uint64_t refused;
	struct exec_log log, strangers; /* apart, so that who is no client cannot keep anything else from the log */
	struct cgroups cgroups;
	struct run *runs; /* that have been started */
	struct ledger ledger;
};

/* Before the first connection.  0 or -errno. */
int exec_open(struct launcher *l);
/* Takes a connection, and fd with it. */
void exec_client_take(struct launcher *l, int fd);
void exec_clients_close(struct launcher *l);
/* It is broken, or its word made no sense. */
void exec_client_close(struct exec_client *c);

/* Frees words that were kept, and says so to the account. */
void exec_forget_words(struct launcher *l, struct exec_account *a, struct wire_blob *words);
/* The request that was left in the socket has been taken by the child; the client is listened to again. */
void exec_client_resume(struct exec_client *c);
/* Says why it gets no run.  A client whose request is left in the socket, with its descriptors, is closed: nobody here takes them. */
void exec_client_refuse(struct exec_client *c, enum fcgipm_refusal no, const char *text);

/* Sends; a client that does not read is closed by whoever called when this is false. */
bool exec_tell_started(struct exec_client *c, int pid, const int *fds, unsigned nfds);
bool exec_tell_refused(struct exec_client *c, enum fcgipm_refusal code, const char *text);
/* It has not begun, since its own client did not want it any more: to that a refusal, to nobody else. */
bool exec_tell_cancelled(struct exec_client *c);
bool exec_tell_ended(struct exec_client *c, const struct child *child, int status, uint8_t why);

/* ---- exec_run.c */

/* What a client asks for. */
struct exec_wish {
	const char *profile, *directory;
	struct wire_blob words;
	uint8_t given, null; /* bit N: descriptor N comes along; is /dev/null */
};

/* Starts it, or lets it wait.  FCGIPM_REFUSED_NOT, or why not: then nothing is kept. */
enum fcgipm_refusal run_ask(struct exec_client *c, const struct exec_wish *w);
/* SIGTERM, and SIGKILL after stop.timeout; one that waits is forgotten. */
void run_cancel(struct run *r, bool at_once);
/* Its client has gone. */
void run_abandon(struct run *r);
/* The launcher stops: what waits is refused; what runs has its stop.timeout to end by itself, then as for a cancel; or it ends at once. */
void runs_end(struct launcher *l, bool at_once);
/* After a reload, for which there may be room now. */
void runs_go_on(struct launcher *l);
/* How long that may take, ms; -1: there is no limit. */
int64_t runs_end_ms(const struct launcher *l);

#endif
