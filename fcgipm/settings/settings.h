/* The settings: one row each (settings/table.h).  From the rows come the structs below, defaults, ranges, the dump, what a reload must do, the
 * manual.  Pure: reads no file, asks no account database.
 *
 * A key "workers.idle_timeout" is the member workers_idle_timeout.  Durations are int64_t milliseconds, sizes uint64_t bytes, counts uint32_t, modes
 * and signals int32_t, switches bool, texts const char *, lists struct settings_list.
 */
#ifndef FCGIPM_SETTINGS_SETTINGS_H
#define FCGIPM_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgipm/base/err.h"
#include "fcgipm/settings/table.h"
#include "fcgipm/wire/cursor.h"

/* What a reload must do when the value differs; the greatest of all changed rows decides. */
enum settings_class { SETTINGS_SAME, SETTINGS_LIVE, SETTINGS_RECYCLE, SETTINGS_REBIND };

/* The manager's part of a pool or of manager.*: rows marked for the manager by value, the others (environment, argv) by hash alone.
 * A decoded struct owns its texts; free with settings_*_free.  0, -EBADMSG, -ENOMEM. */
void settings_pool_encode(struct wire_wr *w, const struct pool_settings *s);
int settings_pool_decode(struct wire_blob blob, struct pool_settings *ret, struct fp_err *err);
void settings_pool_free(struct pool_settings *s);
void settings_manager_encode(struct wire_wr *w, const struct manager_settings *s);
int settings_manager_decode(struct wire_blob blob, struct manager_settings *ret, struct fp_err *err);
void settings_manager_free(struct manager_settings *s);

/* What changing from a to b needs.  *ret_key: the first key of the deciding class, for the log; may be NULL. */
enum settings_class settings_pool_compare(const struct pool_settings *a, const struct pool_settings *b, const char **ret_key);
enum settings_class settings_manager_compare(const struct manager_settings *a, const struct manager_settings *b, const char **ret_key);

#endif
