/* The library that is preloaded into an application (LD_PRELOAD), so that it boots once and is forked afterwards, and so that the manager knows who is busy.
 *
 *   start.c    at load: takes what the launcher left (descriptors, a variable) out of the application's sight
 *   calls.c    accept, select, poll, read, close, fork, exec: what the application calls, and when that means something
 *   board.c    its line of the scoreboard
 *   hook.c     the first accept: a template waits here and forks; each new worker returns from here into accept
 *   runtime.c  fork as Ruby, Python and Perl want it
 *   symbols.c  finds their functions
 *
 * It has no allocation, no thread, no dependency and no versioned symbol: it may meet any C library, and where something is not as expected it stands aside.
 */
#ifndef FCGIPM_PREFORK_PREFORK_H
#define FCGIPM_PREFORK_PREFORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "include/fcgipm/board.h"

#define EXPORT __attribute__((visibility("default")))

struct prefork {
	bool on; /* a worker or template of ours, and not a child that it made */
	bool booting; /* not yet at its first accept */
	bool forking; /* fork() is to make a worker */
	bool template_; /* to be forked from */
	bool threaded; /* what it does cannot be told */
	int pid;
	uint32_t slot;
	uint64_t listener, hook, bell; /* cookies: the descriptors' numbers may be somebody else's by now */
	struct board *board;
};
extern struct prefork prefork;

/* ---- start.c */
/* What makes the same library find its things again when the application replaces itself (env, sh -c exec): variables for exec, NULL-terminated; -E2BIG. */
long start_exec_self(const char *path, char *const argv[], char *const envp[], int (*run)(const char *, char *const *, char *const *));
/* The application has booted: what was kept for that is closed. */
void start_done(void);
/* The cookie of a socket, 0 of anything else. */
uint64_t cookie_of(int fd);

/* ---- board.c */
enum board_step { STEP_WAITS, STEP_ACCEPTED, STEP_KEEPS, STEP_GOES_ON };
void board_step(enum board_step step);
void board_wake(void);
void board_abandoned(void);
/* True between two requests of a worker that is to go: it has given itself the signal. */
bool board_leaves(void);
int64_t board_now_ns(void);

/* ---- hook.c */
/* The application is about to wait for a connection. */
void hook_wait(void);
/* A new worker of this process, of which the launcher is the parent; in it 0, in the template its pid or -errno. */
long hook_clone(void);

/* ---- runtime.c */
/* Forks in the way of the language's runtime.  As hook_clone. */
long runtime_fork(void);
/* It may be forked although it has threads. */
bool runtime_copes_with_threads(void);
void runtime_handlers(int when); /* 0 before, 1 in the template, 2 in the new worker: pthread_atfork() */

/* ---- symbols.c */
/* The address of a function or object that some loaded object but this one exports; NULL. */
void *symbol_find(const char *name);
bool symbol_is_mapped(const void *address);

#endif
