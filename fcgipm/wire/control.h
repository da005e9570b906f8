/* The control socket (RUNTIME/control.sock, seqpacket): clients ask, the manager answers.
 *
 * A request has a sequence number of the client's; the manager sends any number of NOTE and then one DONE with the same number.  DONE's code is
 * the exit code of the command line: 0 done, 1 the answer is no, 2 usage.  Long answers (status) come as a sealed memfd with DONE.
 * Permission is by SO_PEERCRED and SO_PEERGROUPS; the overflow uid is refused.
 */
#ifndef FCGIPM_WIRE_CONTROL_H
#define FCGIPM_WIRE_CONTROL_H

#include "fcgipm/wire/fields.h"

/* clang-format off */

enum { WIRE_CONTROL_REQUEST_MAX = 512, WIRE_CONTROL_TEXT_MAX = 16384 };

/* X(type, NAME, fields, who may, most bytes).  who: OBSERVER, OPERATOR, FRONTEND (of the pool) or ANYBODY */
#define WIRE_CONTROL_REQUESTS(X)                          \
	X(1, C_STATUS, c_pool, OBSERVER, 512)              \
	X(2, C_RELOAD, c_reload, OPERATOR, 64)             \
	X(3, C_RESTART, c_pool, OPERATOR, 512)             \
	X(4, C_SCALE, c_scale, OPERATOR, 512)              \
	X(5, C_STOP, c_pool, OPERATOR, 512)                \
	X(6, C_START, c_pool, OPERATOR, 512)               \
	X(7, C_SHUTDOWN, c_shutdown, OPERATOR, 64)         \
	X(8, C_LEASE, c_pool, FRONTEND, 512)               \
	X(9, C_EXEC, c_exec, ANYBODY, 64)

/* pool "" (STATUS only): all.  no_wait 1: DONE when it was asked, not when it is done. */
#define WIRE_FIELDS_c_pool(F) F(str, pool) F(u8, no_wait)
#define WIRE_FIELDS_c_reload(F) F(u8, no_wait)
/* -1: leave as it is. */
#define WIRE_FIELDS_c_scale(F) F(str, pool) F(i32, min) F(i32, max) F(u8, no_wait)
#define WIRE_FIELDS_c_shutdown(F) F(u8, now)

/* The connection is to be the exec broker's from now on: what follows is said on it by the launcher (wire/exec.h), which reads itself who the client is.  DONE
 * instead: there is no launcher that could take it. */
#define WIRE_FIELDS_c_exec(F)

/* X(type, NAME, fields) */
#define WIRE_CONTROL_ANSWERS(X)          \
	X(64, C_NOTE, c_note)             \
	X(65, C_DONE, c_done)             \
	X(66, C_LEASED, c_leased)         \
	X(67, C_CHANGED, c_changed)

#define WIRE_FIELDS_c_note(F) F(str, text)
/* Descriptor for STATUS: the snapshot (wire/status.h). */
#define WIRE_FIELDS_c_done(F) F(u32, code) F(str, text)
/* LEASE, when granted, before DONE.  kind 0: connect to the address (a path or host:port); 1: connect through the door, descriptor 0.
 * descriptor 1: the listener, for holders.  queue_timeout_ms and concurrency are what a frontend needs to know. */
#define WIRE_FIELDS_c_leased(F) F(str, pool) F(u8, kind) F(str, address) F(i64, queue_timeout_ms) F(u32, queue_limit) F(u32, concurrency) F(str, chroot)
/* Unasked (sequence number 0), to a client that has asked for a lease: what it leased, or was refused, may have changed.  Not said again before it asks again. */
#define WIRE_FIELDS_c_changed(F) F(u32, generation)

WIRE_MESSAGE(c_pool)
WIRE_MESSAGE(c_reload)
WIRE_MESSAGE(c_scale)
WIRE_MESSAGE(c_shutdown)
WIRE_MESSAGE(c_exec)
WIRE_MESSAGE(c_note)
WIRE_MESSAGE(c_done)
WIRE_MESSAGE(c_leased)
WIRE_MESSAGE(c_changed)

#define WIRE_ENUM_CONTROL(type, NAME, ...) WIRE_##NAME = (type),
enum wire_control_type { WIRE_CONTROL_REQUESTS(WIRE_ENUM_CONTROL) WIRE_CONTROL_ANSWERS(WIRE_ENUM_CONTROL) };

#endif
