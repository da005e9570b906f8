/* Between a client of the exec broker and the launcher, on a connection that began at the control socket (EXEC, wire/control.h) and was handed on.
 *
 * The launcher says X_HELLO when it has taken the connection.  Then one run at a time: the client asks X_RUN; the launcher answers X_STARTED and, when it
 * has ended, X_ENDED, or instead of both X_REFUSED.  A client that closes the connection ends what it started, unless the profile says otherwise.
 */
#ifndef FCGIPM_WIRE_EXEC_H
#define FCGIPM_WIRE_EXEC_H

#include "fcgipm/wire/fields.h"

/* clang-format off */

enum { WIRE_EXEC_WORDS_MAX = 256 << 10, WIRE_EXEC_WORDS_PIECE = 24 << 10 };

/* What may come in which state of a connection.  No number is one of the control socket: a request to the manager is never taken for one to the launcher. */
enum wire_exec_phase { WIRE_EXEC_IDLE = 1, WIRE_EXEC_ASKED = 2 };

/* X(type, NAME, fields, phases, most bytes, least and most descriptors that the launcher itself would take) */
#define WIRE_EXEC_REQUESTS(X)                                                \
	X(33, X_RUN, x_run, WIRE_EXEC_IDLE, 32768, 0, 0)                     \
	X(35, X_WORDS, x_words, WIRE_EXEC_IDLE, 32768, 0, 0)                 \
	X(34, X_CANCEL, x_cancel, WIRE_EXEC_IDLE | WIRE_EXEC_ASKED, 64, 0, 0)

/* words: u32 count and the arguments, u32 count and NAME=VALUE texts; what is longer than a piece comes in front, in order, as X_WORDS.  directory "": the program's own.
 * stdio: bit N: descriptor N of the run comes along with the message, in order; bit N + 4: it is /dev/null; of the others pipes are made.  The launcher leaves a message with descriptors in the
 * socket, from where the child takes it: until it has started nothing behind it is read, and who wants to cancel it closes the connection. */
#define WIRE_FIELDS_x_words(F) F(blob, words)
#define WIRE_FIELDS_x_run(F) F(str, profile) F(str, directory) F(u8, stdio) F(blob, words)
/* how 0: SIGTERM, and SIGKILL after the profile's stop.timeout; 1: SIGKILL.  Of nothing that runs it is nothing. */
#define WIRE_FIELDS_x_cancel(F) F(u8, how)

/* No number is one of wire/control.h: a client that waits for X_HELLO may get DONE from the manager instead.  X(type, NAME, fields, descriptors) */
#define WIRE_EXEC_ANSWERS(X)                                                 \
	X(96, X_HELLO, x_hello, "0")                                         \
	X(97, X_STARTED, x_started, "our ends of the pipes, pidfd")          \
	X(98, X_REFUSED, x_refused, "0")                                     \
	X(99, X_ENDED, x_ended, "0")

#define WIRE_FIELDS_x_hello(F) F(u32, version)
/* pid and pidfd: of the program, or of its minder (start/minder.h). */
#define WIRE_FIELDS_x_started(F) F(i32, pid)
/* code: enum fcgipm_refusal; text: for people. */
#define WIRE_FIELDS_x_refused(F) F(u32, code) F(str, text)
/* status: as of waitpid.  why: enum wire_exec_why. */
#define WIRE_FIELDS_x_ended(F) F(i32, status) F(i64, user_us) F(i64, system_us) F(i64, max_rss_kb) F(u8, why)

enum wire_exec_why { WIRE_EXEC_BY_ITSELF, WIRE_EXEC_TIMEOUT, WIRE_EXEC_CANCELLED };

WIRE_MESSAGE(x_run)
WIRE_MESSAGE(x_words)
WIRE_MESSAGE(x_cancel)
WIRE_MESSAGE(x_hello)
WIRE_MESSAGE(x_started)
WIRE_MESSAGE(x_refused)
WIRE_MESSAGE(x_ended)

#define WIRE_ENUM_EXEC(type, NAME, ...) WIRE_##NAME = (type),
enum wire_exec_type { WIRE_EXEC_REQUESTS(WIRE_ENUM_EXEC) WIRE_EXEC_ANSWERS(WIRE_ENUM_EXEC) };

#endif
