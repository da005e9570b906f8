/* What outlives a manager: a memfd of fixed records, one a pool, which the launcher keeps and hands to the successor.
 *
 * Every field is written by one atomic store, so a manager that is killed at any moment leaves records whose fields are each whole.  The reader takes
 * nothing on trust: sizes, names and ranges are checked, and what does not fit is as if it were not there.
 */
#ifndef FCGIPM_MANAGER_STATE_H
#define FCGIPM_MANAGER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STATE_NAME_MAX = 128, STATE_RECORDS_MAX = 1 << 20, STATE_COUNTERS = 21 };

struct pool;

struct state_pool {
	uint32_t used; /* STATE_USED once the record is complete */
	uint32_t flags;
	char name[STATE_NAME_MAX];
	int32_t min_override, max_override;
	uint32_t floor, tag, stable_tag, last_tag, failed_generation;
	uint32_t reserved;
	uint64_t counters[STATE_COUNTERS];
};

struct state {
	int fd; /* -1: none */
	struct state_header *map;
	size_t size;
	uint32_t count; /* records that the map has room for */
	uint32_t next; /* where the next search begins: pools come in the order of their records */
};

/* A new one, empty.  0 or -errno. */
int state_create(struct state *s);
/* The one of the manager before us; takes fd.  -EBADMSG: it cannot be that. */
int state_open(struct state *s, int fd);
void state_fini(struct state *s);
/* The record of a pool, or NULL. */
struct state_pool *state_find(struct state *s, const char *name);
/* Finds or makes; the map may move, so pointers are not kept.  NULL: no memory. */
struct state_pool *state_intern(struct state *s, const char *name);

/* Between a pool and its record. */
void state_save(struct pool *p);
void state_load(struct pool *p);
void state_forget(struct pool *p);

#endif
