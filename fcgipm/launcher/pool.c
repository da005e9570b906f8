/* The table of pools (launcher process). */
#include "fcgipm/launcher/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/hash.h"
#include "fcgipm/base/log.h"
#include "fcgipm/launcher/launcher.h"

static struct pool **bucket_of(struct pool_table *t, const char *name)
{
	return &t->bucket[fp_hash_str(FP_HASH_INIT, name) % POOL_BUCKETS];
}

struct pool *pool_find(const struct pool_table *t, const char *name)
{
	struct pool *p = t->bucket[fp_hash_str(FP_HASH_INIT, name) % POOL_BUCKETS];

	while (p != NULL && strcmp(p->name, name) != 0)
		p = p->next;
	return p;
}

struct pool *pool_intern(struct pool_table *t, const char *name)
{
	struct pool *p = pool_find(t, name);
	struct pool **bucket = bucket_of(t, name);
	size_t size = strlen(name) + 1;

	if (p != NULL)
		return p;
	p = calloc(1, sizeof(*p) + size);
	if (p == NULL)
		return NULL;
	memcpy(p->name, name, size);
	p->board = BOARD_FDS_NONE;
	p->next = *bucket;
	*bucket = p;
	t->count++;
	return p;
}

struct pool_entry *pool_entry_of(const struct pool *p, uint32_t generation)
{
	struct pool_entry *const both[] = {p->candidate, p->current};

	for (unsigned i = 0; i < 2; i++)
		if (both[i] != NULL && generation >= both[i]->first && generation <= both[i]->last)
			return both[i];
	return NULL;
}

struct pool_entry *pool_entry_new(const struct spec_entry *e, uint32_t generation)
{
	struct spec_pool spec;
	struct pool_entry *n = malloc(sizeof(*n) + e->pool.len + e->settings.len);
	uint8_t *bytes;

	if (n == NULL || spec_pool_decode(e->pool, &spec, NULL) < 0) {
		free(n);
		return NULL;
	}
	bytes = (uint8_t *)(n + 1);
	memcpy(bytes, e->pool.at, e->pool.len);
	memcpy(bytes + e->pool.len, e->settings.at, e->settings.len);
	*n = (struct pool_entry){
		.refs = 1,
		.first = generation,
		.last = generation,
		.spec = {bytes, e->pool.len},
		.settings = {bytes + e->pool.len, e->settings.len},
		.max_workers = spec.max_workers,
		.stop_timeout_ms = (int64_t)spec.stop_timeout_ms,
	};
	spec_pool_free(&spec);
	memcpy(n->places, e->places, sizeof(n->places));
	return n;
}

struct pool_entry *pool_entry_ref(struct pool_entry *e)
{
	e->refs++;
	return e;
}

void pool_entry_unref(struct launcher *l, struct pool_entry *e)
{
	if (e == NULL || --e->refs > 0)
		return;
	listener_unref(l, e->listener);
	free(e->failure);
	free(e);
}

static bool same_bytes(struct wire_blob a, struct wire_blob b)
{
	return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

bool pool_entry_same(const struct pool_entry *a, const struct spec_entry *b)
{
	return same_bytes(a->spec, b->pool) && same_bytes(a->settings, b->settings);
}

static void pool_forget(struct launcher *l, struct pool *p)
{
	struct pool **at = bucket_of(&l->pools, p->name);

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	l->pools.count--;
	pool_entry_unref(l, p->current);
	pool_entry_unref(l, p->candidate);
	board_close(&p->board);
	free(p);
}

/* Only a spec that is in force changes a live socket: one whose workers do not come up leaves it as it was. */
static void adjust_listener(const struct pool *p)
{
	struct fp_err err = {0};
	struct spec_pool spec;

	if (p->current->listener == NULL || spec_pool_decode(p->current->spec, &spec, NULL) < 0)
		return;
	if (listener_adjust(p->current->listener, &spec, &err) < 0)
		log_warn("listener.adjust", KS("pool", p->name), KS("error", err.text));
	spec_pool_free(&spec);
}

int pool_commit(struct launcher *l, struct pool *p, uint32_t generation)
{
	if (generation == 0) {
		if (!p->removed || p->workers + p->templates > 0)
			return -EBUSY;
		pool_forget(l, p);
		return 0;
	}
	if (pool_entry_of(p, generation) == NULL)
		return -ENOENT;
	if (p->candidate == NULL || pool_entry_of(p, generation) != p->candidate)
		return 0;
	pool_entry_unref(l, p->current);
	p->current = p->candidate;
	p->candidate = NULL;
	adjust_listener(p);
	return 0;
}

void pool_each(struct launcher *l, void (*each)(struct launcher *l, struct pool *p, void *ctx), void *ctx)
{
	for (unsigned b = 0; b < POOL_BUCKETS; b++) {
		for (struct pool *p = l->pools.bucket[b], *next; p != NULL; p = next) {
			next = p->next;
			each(l, p, ctx);
		}
	}
}

static void forget_each(struct launcher *l, struct pool *p, void *ctx)
{
	(void)ctx;
	pool_forget(l, p);
}

void pool_table_clear(struct launcher *l)
{
	pool_each(l, forget_each, NULL);
}
