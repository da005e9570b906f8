/* Between the launcher (privileged) and its manager: a seqpacket pair, the manager's end on descriptor 3.
 *
 * The manager asks, the launcher answers each request with one ANSWER of the same sequence number: at once, or later (BIND,
 * OUTPUT and RELOAD may need a child with an account's rights).  Events carry sequence number 0.
 *
 * At the manager's start the launcher sends HELLO, then POOL for every spec it holds, LISTENER for what is bound, WORKER for every worker
 * that runs, then GO.  A first manager finds no listener and no worker; a successor finds all of them, and STATE's memfd.
 *
 * A pool's spec has a generation: the number of the load of the configuration that brought it.  The launcher holds at most two of a pool,
 * the current one and a candidate; SPAWN and BIND say which; COMMIT makes the candidate the current one.
 */
#ifndef FCGIPM_WIRE_LAUNCHER_H
#define FCGIPM_WIRE_LAUNCHER_H

#include "fcgipm/wire/fields.h"

/* clang-format off */

/* TEMPLATES: of one pool, those that are to end included; the launcher starts no more. */
enum { WIRE_LAUNCHER_FD = 3, WIRE_POOL_NAME_MAX = 126, WIRE_TEMPLATES_MAX = 2 };

/* Requests of the manager; ENDING: workers still serve what is queued, and retire as ever.  X(type, NAME, fields, phases, most bytes, least and most descriptors) */
#define WIRE_LAUNCHER_REQUESTS(X)                                        \
	X(1, BIND, bind, SERVING, 256, 0, 0)                              \
	X(2, UNBIND, unbind, SERVING | ENDING, 256, 0, 0)                          \
	X(3, SPAWN, spawn, SERVING | ENDING, 256, 0, 0)                            \
	X(4, LOOK, worker_id, SERVING | ENDING, 64, 0, 0)                               \
	X(5, RETIRE, worker_id, SERVING | ENDING, 64, 0, 0)                             \
	X(6, SIGNAL, signal, SERVING | ENDING, 64, 0, 0)                           \
	X(7, STATE, empty, SERVING, 64, 1, 1)                             \
	X(8, RELOAD, empty, SERVING, 64, 0, 0)                            \
	X(9, COMMIT, commit, SERVING | ENDING, 256, 0, 0)                 \
	X(10, OUTPUT, commit, SERVING, 256, 0, 0)                         \
	X(11, NOTICE, notice, SERVING | ENDING, 64, 0, 0)                 \
	X(12, END, end, SERVING | ENDING, 64, 0, 0)                       \
	X(13, EXEC, empty, SERVING | ENDING, 64, 1, 1)                    \
	X(14, CUT, cut, SERVING | ENDING, 64, 0, 0)

/* BIND: the listener of the pool's spec of that generation.  Idempotent: one that is bound is answered again.  renew 1: it was found shut
 * down; the launcher makes sure of that and binds anew.  ANSWER: code 0, descriptors {listener} or {listener, door}; text: the address. */
#define WIRE_FIELDS_bind(F) F(str, pool) F(u32, generation) F(u8, renew)
/* UNBIND: how 0 removes the socket's name (what is queued can still be served), 1 lets go of the listener. */
#define WIRE_FIELDS_unbind(F) F(str, pool) F(u32, generation) F(u8, how)
/* SPAWN: ANSWER value = worker id, number = pid, descriptor = the read end of its output.  tag: the manager's own mark, told to the next manager.
 * how: enum wire_start; template_: of FORK, a worker id; slot: its line of the scoreboard, which comes as BOARD before the first answer. */
#define WIRE_FIELDS_spawn(F) F(str, pool) F(u32, generation) F(u32, tag) F(u8, how) F(u64, template_) F(u32, slot)
/* LOOK: ANSWER number = enum wire_look.  RETIRE: the same, WIRE_LOOK_SIGNALLED when stop.signal was sent because it served nobody. */
#define WIRE_FIELDS_worker_id(F) F(u64, worker)
/* SIGNAL: only stop.signal, stop.busy_signal, TERM or KILL; KILL goes to the worker's whole session and group. */
#define WIRE_FIELDS_signal(F) F(u64, worker) F(i32, signal)
/* CUT: KILL, if its line of the scoreboard says that it is still in the request that began then: the next one may have begun since the manager looked.  ANSWER
 * number = WIRE_LOOK_SIGNALLED, else WIRE_LOOK_SERVING or BOOTING. */
#define WIRE_FIELDS_cut(F) F(u64, worker) F(i64, since_ns)
/* COMMIT: the candidate of that generation becomes the current spec.  OUTPUT: opens the pool's output file; ANSWER descriptor = the file. */
#define WIRE_FIELDS_commit(F) F(str, pool) F(u32, generation)
/* NOTICE: what a supervisor is told: 0 ready, 1 reloading, 2 stopping. */
#define WIRE_FIELDS_notice(F) F(u8, what)
/* EXEC: a connection of the control socket whose client wants the exec broker.  The launcher speaks to it from now on (wire/exec.h) and reads from it who it is. */
/* END: the manager asks to end (an operator's shutdown), or says that its part of the ending is done.  how: 0 drain, 1 at once, 2 done. */
#define WIRE_FIELDS_end(F) F(u8, how)
#define WIRE_FIELDS_empty(F)

/* What the launcher sends.  X(type, NAME, fields, descriptors) */
#define WIRE_LAUNCHER_EVENTS(X)                 \
	X(64, ANSWER, answer, "0 to 2")          \
	X(65, HELLO, hello, "control socket, log, [state]") \
	X(66, POOL, pool, "0")                   \
	X(67, GONE_POOL, gone_pool, "0")         \
	X(68, LISTENER, listener, "listener, [door]") \
	X(69, WORKER, worker, "output")          \
	X(70, GO, empty, "0")                    \
	X(71, STARTED, worker_id, "0")                \
	X(72, EXITED, exited, "0")               \
	X(73, REOPEN, reopen, "[log]")           \
	X(74, QUIT, end, "0")                    \
	X(75, WANT_RELOAD, empty, "0")           \
	X(76, SETTINGS, settings, "0")           \
	X(77, BOARD, gone_pool, "board, bell")   \
	X(78, HOOKED, hooked, "0")               \
	X(79, LEDGER, empty, "[ledger]")

/* code 0, or a positive errno; text: the reason, for people. */
#define WIRE_FIELDS_answer(F) F(i32, code) F(u64, value) F(i64, number) F(str, text)
/* A manager-wide part of the spec follows as SETTINGS.  starts: how many managers there were before. flags 1: started by an ordinary user.
 * log_sink: enum fp_log_sink, what the descriptor of the log is.  now_ms: the launcher's monotonic time of its own start, so that uptime outlives a manager. */
#define WIRE_FIELDS_hello(F) F(i32, launcher_pid) F(i64, started_ms) F(u32, starts) F(u32, generation) F(u8, flags) F(u8, log_sink) F(str, version) F(str, config)
/* A pool's spec as the manager may know it: blob is the settings blob (settings/settings.h).  which: 0 current, 1 candidate.
 * since: the first generation that had the pool like this; its workers are as good.
 * failure: not empty when a look with the account's own rights found that it cannot run. */
#define WIRE_FIELDS_pool(F) F(str, pool) F(u32, generation) F(u32, since) F(u8, which) F(str, failure) F(blob, settings)
/* BOARD: the pool's scoreboard (include/fcgipm/board.h), and the end of the socket on which its workers wake the manager.
 * LEDGER: the exec broker's (wire/ledger.h), in place of the one before; none where there are no profiles.
 * GONE_POOL: the pool is no longer in the file; it is to be drained, unbound and committed with generation 0, which forgets it. */
#define WIRE_FIELDS_gone_pool(F) F(str, pool)
#define WIRE_FIELDS_listener(F) F(str, pool) F(u32, generation) F(str, address) F(u8, withdrawn)
/* stage: enum wire_stage.  pid 0: the manager before has asked for it, and its template has not forked yet.  Of such a one there is another WORKER: with its pid when
 * it has come, else with 0 and WIRE_STAGE_KILLED, when it will not. */
#define WIRE_FIELDS_worker(F) F(u64, worker) F(str, pool) F(u32, generation) F(u32, tag) F(i32, pid) F(i64, spawned_ms) F(u8, stage) F(i64, signalled_ms) F(u8, how) F(u32, slot) F(u8, hooked)
/* status: as of waitpid.  step and error: when it never came to exec, the step that failed ("chroot") and its errno; detail: the object ("/srv/alice").
 * strays: processes of its session that were ended with it. */
#define WIRE_FIELDS_exited(F) F(u64, worker) F(i32, status) F(i32, error) F(u32, strays) F(str, step) F(str, detail)
/* The log was opened anew, or is somewhere else now. */
#define WIRE_FIELDS_reopen(F) F(u8, log_sink)
#define WIRE_FIELDS_settings(F) F(u32, generation) F(blob, settings)

/* A template is at its first accept and can be forked from (reason 0), or serves as a worker instead (enum hook_reason). */
#define WIRE_FIELDS_hooked(F) F(u64, worker) F(u8, reason)

/* TEMPLATE boots once and is forked from, by FORK. */
enum wire_start { WIRE_START_EXEC, WIRE_START_TEMPLATE, WIRE_START_FORK, WIRE_START_COUNT };
enum wire_look { WIRE_LOOK_IDLE, WIRE_LOOK_SERVING, WIRE_LOOK_BOOTING, WIRE_LOOK_SIGNALLED, WIRE_LOOK_GONE, WIRE_LOOK_BLIND };
enum wire_stage { WIRE_STAGE_STARTING, WIRE_STAGE_EXECED, WIRE_STAGE_SIGNALLED, WIRE_STAGE_KILLED };

WIRE_MESSAGE(empty)
WIRE_MESSAGE(bind)
WIRE_MESSAGE(unbind)
WIRE_MESSAGE(spawn)
WIRE_MESSAGE(worker_id)
WIRE_MESSAGE(signal)
WIRE_MESSAGE(cut)
WIRE_MESSAGE(commit)
WIRE_MESSAGE(notice)
WIRE_MESSAGE(end)
WIRE_MESSAGE(answer)
WIRE_MESSAGE(hello)
WIRE_MESSAGE(pool)
WIRE_MESSAGE(gone_pool)
WIRE_MESSAGE(listener)
WIRE_MESSAGE(worker)
WIRE_MESSAGE(exited)
WIRE_MESSAGE(reopen)
WIRE_MESSAGE(settings)
WIRE_MESSAGE(hooked)

#define WIRE_ENUM_REQUEST(type, NAME, ...) WIRE_##NAME = (type),
enum wire_launcher_type { WIRE_LAUNCHER_REQUESTS(WIRE_ENUM_REQUEST) WIRE_LAUNCHER_EVENTS(WIRE_ENUM_REQUEST) };

#endif
