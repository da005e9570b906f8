/* The launcher's end of the link to its manager: what it is told, and the answers to its requests (requests.h). */
#ifndef FCGIPM_LAUNCHER_LINK_H
#define FCGIPM_LAUNCHER_LINK_H

#include <stdint.h>

#include "fcgipm/base/err.h"
#include "fcgipm/wire/launcher.h"

struct launcher;
struct worker;
struct pool;
struct pool_entry;

/* Takes sock (non-blocking) as the link to a manager just started and tells it all that there is: HELLO to GO. */
void link_open(struct launcher *l, int sock);
void link_close(struct launcher *l);

/* The answer to request seq (0: nobody waits for one).  Descriptors stay the caller's; r is 0 or -errno. */
void link_answer(struct launcher *l, uint32_t seq, const struct wire_answer *a, const int *fds, unsigned nfds);
void link_answer_code(struct launcher *l, uint32_t seq, int r, const char *text);

/* Events; without a manager they are nothing: a new one is told everything at its start. */
/* A worker that the manager did not ask for: the one before it did. */
void link_worker(struct launcher *l, struct worker *w);
void link_hooked(struct launcher *l, const struct wire_hooked *m);
void link_board(struct launcher *l, const struct pool *p);
/* The exec broker's ledger: this one, from now on. */
void link_ledger(struct launcher *l);
void link_started(struct launcher *l, const struct wire_worker_id *m);
void link_exited(struct launcher *l, const struct wire_exited *m);
void link_pool(struct launcher *l, const struct pool *p, const struct pool_entry *e);
void link_gone_pool(struct launcher *l, const struct pool *p);
void link_settings(struct launcher *l);
void link_quit(struct launcher *l, uint8_t how);
void link_reopen(struct launcher *l);
/* Asks a manager, this one or the next, for a RELOAD. */
void link_want_reload(struct launcher *l);
/* The answer to RELOAD: code 0 and the generation, or the errors' text (cut to a datagram; the rest goes to the log). */
void link_answer_reload(struct launcher *l, uint32_t seq, int code, const char *text);

#endif
