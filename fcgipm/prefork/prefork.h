/* The library that is preloaded into an application (LD_PRELOAD), so that it boots once and is forked afterwards, and so that the manager knows who is busy.
 *
 *   start.c    at load: takes what the launcher left (descriptors, two variables) out of the application's sight; at exec: puts it back
 *   calls.c    accept, select, poll, epoll_ctl, read, close: what the application calls, and when that means something
 *   board.c    its line of the scoreboard
 *   hook.c     the first accept: a template waits here and forks; each new worker returns from here into accept
 *   runtime.c  fork as Ruby, Python and Perl want it
 *
 * It allocates nothing, has no thread, and names no library and no version of a symbol: it may meet any C library, and where something is not as expected it
 * stands aside.  System calls that it interposes it makes itself.
 *
 * Without PCID a system call empties the processor's TLB, and each page that is touched between two of them costs again what hundreds of instructions do.  So what
 * a request needs lies together: HOT code on a page, data beside the table of the C library's functions.
 */
#ifndef FCGIPM_PREFORK_PREFORK_H
#define FCGIPM_PREFORK_PREFORK_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "include/fcgipm/board.h"

#define EXPORT __attribute__((visibility("default")))
#define HOT    __attribute__((hot))

extern struct prefork {
	/* on: a worker or template of ours, and not a child that it made.  booting: not yet at its first accept.  template_: to be forked from. */
	bool on, booting, template_;
	int pid, acceptors, forks; /* threads that have waited for connections; the application's own forks */
	uint64_t listener, hook, bell; /* cookies: the descriptors' numbers may be somebody else's by now */
	uint64_t told[TOLD_COUNT]; /* by the launcher; TOLD_OUTPUT: the BOARD_INODE of standard output and error */
	struct board *board;
	struct board_slot *slot; /* on it: this process's */
} prefork;

/* syscall(2), of up to four arguments (the others are 0). */
#ifdef __x86_64__
static inline long call(long number, long a, long b, long c, long d)
{
	register long fourth __asm__("r10") = d, fifth __asm__("r8") = 0, sixth __asm__("r9") = 0, r __asm__("rax") = number;

	__asm__ volatile("syscall" : "+r"(r) : "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth), "r"(sixth) : "rcx", "r11", "memory");
	return r >= 0 || r < -4095 ? r : (errno = (int)-r, -1);
}
#else
#define call(...) syscall(__VA_ARGS__, 0L, 0L)
#endif

/* ---- start.c */
/* The cookie of a socket, 0 of anything else. */
uint64_t cookie_of(int fd);
/* BOARD_INODE; 0 it is closed. */
uint64_t inode_of(int fd);
/* The application has booted, and been forked: what was kept for that is closed. */
void start_done(void);

/* ---- board.c */
enum board_step { STEP_WAITS, STEP_ACCEPTED, STEP_KEEPS, STEP_GOES_ON };
void board_step(enum board_step step);
/* It serves several at once: what it does cannot be told, and it does not go by itself. */
void board_blind(void);
/* True between two requests of a worker that is to go: it has given itself the signal, and the call that waits is to end.  Who accepts is never to come to it
 * again; who waits by other means may learn of the signal by these (a pipe of the handler's, signalfd(2), the mask of ppoll(2)), and does so the next time. */
bool board_leaves(bool accepts);

/* ---- hook.c */
/* The application has come to where it waits for a connection; a worker returns.  With a reason it is not to be forked.  False: it is not the first time. */
bool hook_boots(enum hook_reason reason);
/* A new worker of this process, of which the launcher is the parent; in it 0, in the template its pid or -1. */
pid_t hook_clone(void);
/* Lets signals in as the application has them, or none. */
void hook_signals(bool let_in);

/* ---- runtime.c */
/* Forks in the way of the language's runtime.  As hook_clone(). */
pid_t runtime_fork(void);
/* It may be forked although it has threads: these have had time to come to where they wait for connections.  To be asked once before runtime_fork(), which forks in the
 * way of the language that is found here. */
bool runtime_copes_with_threads(void);

#endif
