/* The settings: one row each (settings/table.h).  From the rows come the structs, defaults, ranges, the dump, what a reload must do, the
 * manual.  Pure: reads no file, asks no account database.
 *
 * A key "workers.idle_timeout" is the member workers_idle_timeout.  Durations are int64_t milliseconds, sizes uint64_t bytes, counts uint32_t, modes
 * and signals int32_t, switches bool, texts const char *, lists struct settings_list.
 *
 * Texts and lists are on the heap and belong to the struct; a zeroed struct is empty, and every function takes one that is half filled.
 */
#ifndef FCGIPM_SETTINGS_SETTINGS_H
#define FCGIPM_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgipm/base/err.h"
#include "fcgipm/base/text.h"
#include "fcgipm/settings/table.h"
#include "fcgipm/wire/cursor.h"

/* What a reload must do when the value differs; the greatest of all changed rows decides.  LIVE and above: BIND and COMMIT the candidate, for
 * the socket's owner, mode and backlog take effect when it is bound. */
enum settings_class { SETTINGS_SAME, SETTINGS_LIVE, SETTINGS_RECYCLE, SETTINGS_REBIND };
enum settings_audience { SETTINGS_VALUE, SETTINGS_HASH };
enum settings_status { SETTINGS_NOW, SETTINGS_NOT_YET };
enum settings_kind { SETTINGS_NUMBER, SETTINGS_TEXT, SETTINGS_LIST };

#define SETTINGS_TYPE_ENUM(type, c_type, kind) SETTINGS_##type,
enum settings_type { SETTINGS_TYPES(SETTINGS_TYPE_ENUM) SETTINGS_TYPE_COUNT };

struct settings_row {
	const char *key;
	size_t at; /* offset of the member */
	enum settings_type type;
	const char *preset, *choices; /* may be NULL */
	int64_t least, greatest;
	enum settings_class class;
	enum settings_audience audience;
	enum settings_status status;
	const char *doc;
};
struct settings_table {
	const struct settings_row *rows;
	uint32_t count;
	const char *name; /* "pool", "profile" or "manager" */
};
extern const struct settings_table settings_pool_table, settings_profile_table, settings_manager_table;

/* SETTINGS_AT_POOL_workers_min: the row's index. */
#define SETTINGS_POOL_INDEX(key, member, ...)    SETTINGS_AT_POOL_##member,
#define SETTINGS_PROFILE_INDEX(key, member, ...) SETTINGS_AT_PROFILE_##member,
#define SETTINGS_MANAGER_INDEX(key, member, ...) SETTINGS_AT_MANAGER_##member,
enum settings_pool_index { SETTINGS_POOL_ROWS(SETTINGS_POOL_INDEX) SETTINGS_POOL_COUNT };
enum settings_profile_index { SETTINGS_PROFILE_ROWS(SETTINGS_PROFILE_INDEX) SETTINGS_PROFILE_COUNT };
enum settings_manager_index { SETTINGS_MANAGER_ROWS(SETTINGS_MANAGER_INDEX) SETTINGS_MANAGER_COUNT };

enum settings_kind settings_kind_of(enum settings_type type);
/* The row of a key, or NULL. */
const struct settings_row *settings_find(const struct settings_table *t, const char *key);

/* Sets a number or text from what the file says.  0, -EINVAL, -ERANGE, -ENOSYS (not yet), -ENOMEM; err says what is wrong and, in
 * parentheses, what would be right, without a place. s is the struct of the row's table. */
int settings_set(void *s, const struct settings_row *row, const char *text, struct fp_err *err);
/* Adds an item to a list; an ENVIRONMENT item "NAME=VALUE" replaces one of the same name, and the list stays in order of name. */
int settings_add(void *s, const struct settings_row *row, const char *item, struct fp_err *err);
/* Makes it empty. */
void settings_clear(void *s, const struct settings_row *row);
/* Clears it and gives it the row's default; a row without one becomes empty. */
int settings_preset(void *s, const struct settings_row *row, struct fp_err *err);
int settings_preset_all(void *s, const struct settings_table *t, struct fp_err *err);
/* A text as it is, for conf's own findings.  0 or -ENOMEM. */
int settings_put_text(const char **member, const char *text);

/* The number of a row; buf: as the file would have it, "30s". */
int64_t settings_show(const void *s, const struct settings_row *row, char *buf, size_t cap);

/* What tells this list from another one. */
uint64_t settings_list_hash(const struct settings_list *l);

/* Capabilities by name: "CAP_NET_RAW", "net_raw".  The number or -EINVAL. */
int settings_capability(const char *name);
/* The bit set of a list of names, all of them known. */
uint64_t settings_capability_bits(const struct settings_list *names);

/* Appends the rows as a YAML mapping, one line a value, so that the parser reads the same again.  Without secrets the environment's values are
 * masked. */
void settings_dump(struct fp_doc *d, const struct settings_table *t, const void *s, unsigned indent, bool secrets);
/* One row's value as the dump has it behind "key:", with secrets. */
void settings_dump_value(struct fp_doc *d, const struct settings_row *row, const void *s, unsigned indent);

/* The manager's part of a pool or of manager.*: rows marked VALUE, the others (environment, argv) by hash alone.
 * A decoded struct owns its texts; free with settings_*_free.  0, -EBADMSG, -ENOMEM. */
void settings_pool_encode(struct wire_wr *w, const struct pool_settings *s);
int settings_pool_decode(struct wire_blob blob, struct pool_settings *ret, struct fp_err *err);
int settings_pool_copy(const struct pool_settings *s, struct pool_settings *ret);
void settings_pool_free(struct pool_settings *s);
void settings_profile_free(struct profile_settings *s);
void settings_manager_encode(struct wire_wr *w, const struct manager_settings *s);
int settings_manager_decode(struct wire_blob blob, struct manager_settings *ret, struct fp_err *err);
void settings_manager_free(struct manager_settings *s);

/* Whether two structs have the same value in a row. */
bool settings_same(const struct settings_row *row, const void *a, const void *b);
/* What changing from a to b needs.  *ret_key: the first key of the deciding class, for the log; may be NULL. */
enum settings_class settings_pool_compare(const struct pool_settings *a, const struct pool_settings *b, const char **ret_key);
enum settings_class settings_manager_compare(const struct manager_settings *a, const struct manager_settings *b, const char **ret_key);

#endif
