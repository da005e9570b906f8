/* Between the launcher and a child that judges (conf) or looks (look): a seqpacket pair, the child's end on descriptor 3.
 *
 * conf: the launcher sends START with the configuration file; conf may ask INCLUDE, one pattern at a time, and gets FILES with up to
 * WIRE_FDS_MAX descriptors, more = 1 while others follow; then conf sends one RESULT and exits.
 * look: the launcher sends LOOK_AT, look answers RESULT and exits.
 */
#ifndef FCGIPM_WIRE_CONF_H
#define FCGIPM_WIRE_CONF_H

#include "fcgipm/wire/fields.h"

/* clang-format off */

enum { WIRE_CONF_FD = 3, WIRE_CONF_TEXT_MAX = 64 << 20, WIRE_CONF_SPEC_MAX = 256 << 20 };

/* Launcher to child. X(type, NAME, fields, phases, most bytes, least and most descriptors) */
#define WIRE_CONF_ORDERS(X)                                   \
	X(1, CONF_START, conf_start, STARTING, 8192, 1, 1)     \
	X(2, CONF_FILES, conf_files, READING, 16384, 0, 4)     \
	X(3, LOOK_AT, look_at, STARTING, 64, 1, 1)

/* path: as the administrator named it, for messages.  uid/gid: of the launcher; an ordinary user's pools all get these.
 * runtime: the default of manager.runtime_directory.  flags: enum wire_conf_flags. */
#define WIRE_FIELDS_conf_start(F) F(str, path) F(u32, uid) F(u32, gid) F(str, runtime) F(u32, flags)
#define WIRE_FIELDS_conf_files(F) F(u8, more) F(i32, code) F(str, text) F(str, path0) F(str, path1) F(str, path2) F(str, path3)
/* The descriptor: one pool's spec blob (spec/spec.h) as a sealed memfd: with its arguments and environment it may exceed a datagram.
 * The child already runs under the pool's account.  deep: what check asks for, libraries and what is known to be needed. */
#define WIRE_FIELDS_look_at(F) F(u8, deep)

/* Child to launcher. */
#define WIRE_CONF_REPORTS(X)                                  \
	X(32, CONF_INCLUDE, conf_include, READING, 4352, 0, 0)  \
	X(33, CONF_RESULT, conf_result, READING, 64, 0, 2)     \
	X(34, LOOK_RESULT, look_result, READING, 30720, 0, 0)

#define WIRE_FIELDS_conf_include(F) F(str, pattern)
/* errors, warnings: how many lines of the text are which (all errors first).  Descriptors: {text} and, without errors, {text, spec};
 * both sealed memfds. With flag DUMP the text is the effective configuration instead, behind the warnings. */
#define WIRE_FIELDS_conf_result(F) F(u32, errors) F(u32, warnings)
/* findings, one a line: "KEY\tTEXT" with KEY as in the spec's origins, "~KEY\tTEXT" for a warning; empty: nothing is wrong.
 * count: of those that are none. */
#define WIRE_FIELDS_look_result(F) F(u32, count) F(str, text)

enum wire_conf_flags { WIRE_CONF_ORDINARY = 1, WIRE_CONF_DUMP = 2, WIRE_CONF_SECRET = 4 };

WIRE_MESSAGE(conf_start)
WIRE_MESSAGE(conf_files)
WIRE_MESSAGE(look_at)
WIRE_MESSAGE(conf_include)
WIRE_MESSAGE(conf_result)
WIRE_MESSAGE(look_result)

#define WIRE_ENUM_CONF(type, NAME, ...) WIRE_##NAME = (type),
enum wire_conf_type { WIRE_CONF_ORDERS(WIRE_ENUM_CONF) WIRE_CONF_REPORTS(WIRE_ENUM_CONF) };

#endif
