/* The status snapshot: what the manager tells of itself and its pools, as a sealed memfd.
 *
 * Layout: u32 magic, wire_status_manager, u32 count, count times (wire_status_pool, u32 pids, pids times i32 pid, and three lists of texts
 * (u32 count, count times str): notes, alarms, decisions), u32 count, count times wire_status_profile (none where one pool was asked for).
 * Numbers of which nothing is known are WIRE_UNKNOWN and become null in JSON.
 */
#ifndef FCGIPM_WIRE_STATUS_H
#define FCGIPM_WIRE_STATUS_H

#include "fcgipm/wire/fields.h"

/* clang-format off */

#define WIRE_STATUS_MAGIC 0x32534346u /* "FCS2" */
#define WIRE_UNKNOWN INT64_MIN

#define WIRE_FIELDS_status_manager(F)                                                                             \
	F(str, version) F(i32, pid) F(i32, launcher_pid) F(i64, uptime_ms) F(u32, generation) F(u32, workers) F(u32, max_workers) \
	F(u32, manager_starts) F(u64, refused)

#define WIRE_FIELDS_status_pool(F)                                                                                \
	F(str, name) F(str, state) F(str, start) F(str, start_reason) F(str, listen) F(str, user)                  \
	F(i64, queue_depth) F(i64, queue_limit) F(i64, queue_peak)                                                \
	F(i64, idle) F(i64, busy) F(i64, booting) F(i64, retiring) F(i64, total) F(i64, min) F(i64, max)          \
	F(i64, served)                                                                                            \
	F(i64, restarts_exit) F(i64, restarts_signal) F(i64, restarts_timeout) F(i64, restarts_boot) F(i64, restarts_lifetime) F(i64, restarts_replaced) \
	F(i64, at_max_ms) F(i64, held_ms) F(i64, queue_full_ms) F(i64, slow_boot_ms) F(i64, crashing_ms) F(i64, restarts_requests) F(i64, restarts_template) F(i64, slow) F(i64, busy_ms) F(i64, abandoned) F(i64, memory_bytes) F(i64, template_pid) F(i64, template_age_ms) F(i64, template_memory_bytes) F(u32, generation) F(str, last_error)

/* Of a profile of the exec broker, since the launcher started. */
#define WIRE_STATUS_PROFILE_FIGURES(F)                                                                             \
	F(i64, running) F(i64, max_running) F(i64, queue_depth) F(i64, queue_limit) F(i64, queue_peak)            \
	F(i64, started) F(i64, failed) F(i64, timeouts) F(i64, busy) F(i64, refused) F(i64, cpu_ms)
#define WIRE_FIELDS_status_profile(F) F(str, name) WIRE_STATUS_PROFILE_FIGURES(F)

WIRE_MESSAGE(status_manager)
WIRE_MESSAGE(status_pool)
WIRE_MESSAGE(status_profile)

#endif
