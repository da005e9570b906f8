/* mod_fcgid's directives in an httpd configuration: read first, then carried over by server.  For this folder alone. */
#ifndef FCGIPM_IMPORT_FCGID_H
#define FCGIPM_IMPORT_FCGID_H

#include "fcgipm/import/draft.h"
#include "fcgipm/import/httpd.h"
#include "fcgipm/import/reader.h"

struct fcgid;
struct fcgid_value;

/* What a directive is about. */
enum fcgid_use { FCGID_LOST, FCGID_KEY, FCGID_ENVIRONMENT, FCGID_COMMAND, FCGID_OPTIONS };

enum { FCGID_ROWS_MAX = 64, FCGID_VARIABLES_MAX = 64 /* INITENV_CNT of mod_fcgid */ };

/* A directive: one row. */
struct fcgid_row {
	const char *name, *old_name; /* what it was called before 2.3.3; may be NULL */
	enum fcgid_use use;
	void (*take)(struct fcgid *f, const struct fcgid_value *v); /* of FCGID_KEY */
	const char *key; /* where it goes; of FCGID_LOST the nearest one, or NULL */
	const char *text; /* FCGID_LOST: why; FCGID_COMMAND: the directive of mod_fcgipm that takes its place, before the pool's name */
};
struct fcgid_table {
	const struct fcgid_row *rows;
	size_t count;
};
/* Names are compared as httpd does, without regard to case. */
const struct fcgid_row *fcgid_row_of(const struct fcgid_table *t, const char *name);
extern const struct fcgid_table fcgid_table;
/* Of FcgidCmdOptions. */
extern const struct fcgid_table fcgid_option_table;

struct fcgid_value {
	struct fcgid_value *next;
	const struct fcgid_row *row;
	struct draft_at at;
	const char *const *words; /* at least one */
	unsigned count;
	const char *within; /* "<Directory /srv/www>", or "" */
};

/* The main server, or a virtual host. */
struct fcgid_server {
	struct fcgid_server *next;
	const char *name; /* ServerName; NULL: none */
	const char *user, *group;
	bool suexec;
	struct fcgid_value *latest[FCGID_ROWS_MAX]; /* FCGID_KEY, by row */
	struct fcgid_value *values, *last; /* environment, commands, options */
	unsigned variables;
};

struct fcgid {
	const struct import_system *system;
	struct draft draft;
	struct reader reader;
	struct fcgid_server main, *last_server, *now; /* main.next: the virtual hosts */
	const char *root; /* ServerRoot */
	const char *within;
	unsigned depth; /* sections that are open */
	unsigned commands; /* of all servers, with their options */
	struct httpd_define *defines;
};

void fcgid_read(struct fcgid *f, const char *path);
/* What no file says, and what the files say, as defaults and pools. */
void fcgid_carry(struct fcgid *f);

#endif
