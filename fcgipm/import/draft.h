/* The pools.yaml in the making: values judged by the settings table, and notes on what is not among them.
 *
 * The reader says where it is (at, part), then sets keys or says why it does not.  A key that this version of fcgipm does not have, or does not
 * take yet, becomes a note; it is a live key as soon as the table takes it. */
#ifndef FCGIPM_IMPORT_DRAFT_H
#define FCGIPM_IMPORT_DRAFT_H

#include "fcgipm/base/text.h"
#include "fcgipm/import/import.h"
#include "fcgipm/import/keep.h"
#include "fcgipm/settings/settings.h"

enum { DRAFT_POOLS_MAX = 16384, DRAFT_NO_ROW = -1 };

/* A directive as it was found; file NULL: it comes from no line. */
struct draft_at {
	const char *file;
	unsigned line; /* 0: none */
	const char *what; /* as it was written, "" for none */
};

struct draft_note {
	struct draft_note *next;
	struct draft_at at;
	int row; /* of the part's table, beside which it stands; DRAFT_NO_ROW: at the part's head */
	const char *text;
};

/* manager, defaults or one pool. */
struct draft_part {
	struct draft_part *next;
	const char *name;
	const struct settings_table *table;
	union {
		struct pool_settings pool;
		struct manager_settings manager;
	} set;
	bool given[SETTINGS_POOL_COUNT];
	struct draft_note *notes, *last_note;
};

struct draft {
	struct keep keep;
	struct draft_part manager, defaults, *pools, *last_pool;
	struct draft_note *notes, *last_note; /* on the whole */
	unsigned pool_count;
	struct draft_at at;
	struct draft_part *part; /* NULL: the whole */
	struct fp_doc said;
	bool bad;
};

void draft_init(struct draft *d);
void draft_fini(struct draft *d);

/* A new pool becomes the part; its name is made of this one.  false: there are too many, which has been said. */
bool draft_pool_begin(struct draft *d, const char *name);

/* Each false when it came to a note instead. */
bool draft_set(struct draft *d, const char *key, const char *value);
bool draft_add(struct draft *d, const char *key, const char *item);
bool draft_given(const struct draft_part *p, const char *key);
/* Whether this version takes the key. */
bool draft_key_is_live(const struct draft_part *p, const char *key);

/* What a reader must know, beside key (NULL: at the part's head). */
void draft_note(struct draft *d, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* "not carried over: ..." */
void draft_lost(struct draft *d, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A comment alone: a hint that answers nothing in the source. */
void draft_hint(struct draft *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* It could not be read or understood. */
void draft_bad(struct draft *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Text from elsewhere, on one line: what would end it or is no UTF-8 is escaped. */
void draft_add_text(struct fp_doc *to, const char *text);
/* Appends the file: a comment that names its source, manager, defaults, pools. */
void draft_print(const struct draft *d, const char *source, struct fp_doc *yaml);
/* Prints, and frees the draft.  0 or -ENOMEM. */
int draft_finish(struct draft *d, const char *source, struct import_result *ret);

#endif
