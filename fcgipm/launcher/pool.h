/* The pools that the launcher may run: of each at most two specs, the current one and a candidate that a reload brought. */
#ifndef FCGIPM_LAUNCHER_POOL_H
#define FCGIPM_LAUNCHER_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/launcher/board.h"
#include "fcgipm/launcher/listener.h"
#include "fcgipm/spec/spec.h"
#include "fcgipm/wire/cursor.h"

enum { POOL_BUCKETS = 4096 };

/* One spec of a pool, in one piece of memory.  A later load that brings the same bytes extends the range of its generations. */
struct pool_entry {
	uint32_t first, last; /* generations of the configuration in which it stands */
	struct wire_blob spec, settings;
	uint32_t max_workers;
	int64_t stop_timeout_ms; /* 0: no limit */
	struct spec_place places[SPEC_ORIGIN_COUNT];
	char *failure; /* what the look found; NULL: nothing */
	struct listener *listener; /* a reference, NULL until BIND */
	unsigned refs; /* the table's, and one for each answer that is under way */
	bool binding; /* a child is at it */
	uint32_t opening_for; /* the manager (by its number) for which its output file is being opened; 0 none */
};

struct pool {
	struct pool *next; /* in the bucket */
	struct pool_entry *current, *candidate;
	uint32_t workers; /* that live, of all generations; without templates */
	uint32_t templates;
	uint32_t most_workers; /* the greatest workers.max that it has had */
	struct board_fds board;
	bool removed; /* no longer in the file */
	char name[];
};

struct pool_table {
	struct pool *bucket[POOL_BUCKETS];
	uint32_t count;
};

struct pool *pool_find(const struct pool_table *t, const char *name);
/* Finds or makes.  NULL: no memory. */
struct pool *pool_intern(struct pool_table *t, const char *name);
/* The entry that stands in that generation, or NULL. */
struct pool_entry *pool_entry_of(const struct pool *p, uint32_t generation);
/* NULL: no memory, or a spec that cannot be read. */
struct pool_entry *pool_entry_new(const struct spec_entry *e, uint32_t generation);
struct pool_entry *pool_entry_ref(struct pool_entry *e);
void pool_entry_unref(struct launcher *l, struct pool_entry *e);
bool pool_entry_same(const struct pool_entry *a, const struct spec_entry *b);
/* The candidate becomes the current spec; generation 0 of a removed pool forgets it (and frees p).  0 or -errno. */
int pool_commit(struct launcher *l, struct pool *p, uint32_t generation);
/* Lets go of everything. */
void pool_table_clear(struct launcher *l);
/* Calls each for every pool. */
void pool_each(struct launcher *l, void (*each)(struct launcher *l, struct pool *p, void *ctx), void *ctx);

#endif
