/* php-fpm's configuration: read first, then carried over directive by directive.  For this folder alone. */
#ifndef FCGIPM_IMPORT_FPM_H
#define FCGIPM_IMPORT_FPM_H

#include "fcgipm/import/draft.h"
#include "fcgipm/import/ini.h"
#include "fcgipm/import/reader.h"

struct fpm;
struct fpm_value;

/* A directive: one row.  take NULL: it is not carried over, and text says why. */
struct fpm_row {
	const char *name;
	void (*take)(struct fpm *f, const struct fpm_value *v);
	const char *key; /* where it goes; of those that are not carried over the nearest key, or NULL */
	const char *text;
};

struct fpm_table {
	const struct fpm_row *rows;
	size_t count;
};
enum { FPM_ROWS_MAX = 64, FPM_LINE_MAX = 65536 };

/* What relative paths are relative to where a pool has no prefix: as Debian builds php-fpm. */
#define FPM_PREFIX "/usr"
extern const struct fpm_table fpm_global_table, fpm_pool_table;

struct fpm_value {
	struct fpm_value *next;
	const struct fpm_row *row;
	struct ini_line ini;
	struct draft_at at;
};

/* [global] or a pool. */
struct fpm_scope {
	struct fpm_scope *next;
	const struct fpm_table *table;
	const char *name;
	struct draft_at at;
	struct fpm_value *values, *last;
	struct fpm_value *latest[FPM_ROWS_MAX]; /* by row; those with an index have none */
};

struct fpm {
	const struct import_system *system;
	const struct import_source *source;
	struct draft draft;
	struct fpm_scope global, *pools, *last_pool, *now;
	struct reader reader;
	uint32_t pool_count;
	uint64_t all_children; /* of every pool */
	const struct fpm_scope *pool; /* that is carried over now; NULL: [global] */
};

/* Reads a file and what it includes. */
void fpm_read(struct fpm *f, const char *path);

/* The value that holds, or NULL. */
const struct fpm_value *fpm_find(const struct fpm_scope *s, const char *name);

/* Carries over what has been read. */
void fpm_carry(struct fpm *f);

/* What php-cgi gets: fpm_php.c */
void fpm_php_begin(struct fpm *f);
void fpm_php_end(struct fpm *f);
void fpm_take_php(struct fpm *f, const struct fpm_value *v);
void fpm_take_max_requests(struct fpm *f, const struct fpm_value *v);

#endif
