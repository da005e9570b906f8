/* The state that outlives a manager (manager process). */
#include "fcgipm/manager/state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/manager/manager.h"

#define STATE_MAGIC 0x31534d46u /* "FMS1" */
enum { STATE_FREE = 0, STATE_USED = 0x55534544, STATE_STOPPED = 1, STATE_FIRST = 64 };

struct state_header {
	uint32_t magic, record_size;
	uint32_t reserved[14];
	struct state_pool records[];
};

#define PUT(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELEASE)
#define GET(field)        __atomic_load_n(&(field), __ATOMIC_ACQUIRE)

static size_t size_for(uint32_t count)
{
	return sizeof(struct state_header) + (size_t)count * sizeof(struct state_pool);
}

static int state_map(struct state *s, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	if (s->map != NULL)
		munmap(s->map, s->size);
	s->map = map;
	s->size = size;
	s->count = (uint32_t)((size - sizeof(struct state_header)) / sizeof(struct state_pool));
	return 0;
}

/* It can grow and never shrink, so what is mapped stays there. */
static int state_grow(struct state *s, uint32_t count)
{
	if (count > STATE_RECORDS_MAX)
		return -E2BIG;
	if (ftruncate(s->fd, (off_t)size_for(count)) < 0)
		return -errno;
	return state_map(s, size_for(count));
}

int state_create(struct state *s)
{
	int r;

	*s = (struct state){.fd = memfd_create("fcgipm-state", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
	if (s->fd < 0)
		return -errno;
	r = fcntl(s->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL) < 0 ? -errno : state_grow(s, STATE_FIRST);
	if (r < 0) {
		state_fini(s);
		return r;
	}
	s->map->record_size = sizeof(struct state_pool);
	PUT(s->map->magic, STATE_MAGIC);
	return 0;
}

static int state_check(struct state *s)
{
	struct stat st;
	int seals = fcntl(s->fd, F_GET_SEALS), r;

	if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || fstat(s->fd, &st) < 0)
		return -EBADMSG;
	if (st.st_size < (off_t)size_for(0) || st.st_size > (off_t)size_for(STATE_RECORDS_MAX))
		return -EBADMSG;
	r = state_map(s, (size_t)st.st_size);
	if (r < 0)
		return r;
	return GET(s->map->magic) == STATE_MAGIC && s->map->record_size == sizeof(struct state_pool) ? 0 : -EBADMSG;
}

int state_open(struct state *s, int fd)
{
	int r;

	*s = (struct state){.fd = fd};
	r = state_check(s);
	if (r < 0)
		state_fini(s);
	return r;
}

void state_fini(struct state *s)
{
	if (s->map != NULL)
		munmap(s->map, s->size);
	s->map = NULL;
	s->count = 0;
	fp_close(&s->fd);
}

static bool record_is(const struct state_pool *r, const char *name)
{
	return GET(r->used) == STATE_USED && memchr(r->name, '\0', sizeof(r->name)) != NULL && strcmp(r->name, name) == 0;
}

struct state_pool *state_find(struct state *s, const char *name)
{
	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t at = (s->next + i) % s->count;

		if (!record_is(&s->map->records[at], name))
			continue;
		s->next = at + 1;
		return &s->map->records[at];
	}
	return NULL;
}

static struct state_pool *state_free_record(struct state *s)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (GET(s->map->records[i].used) != STATE_USED)
			return &s->map->records[i];
	return NULL;
}

struct state_pool *state_intern(struct state *s, const char *name)
{
	struct state_pool *r;

	if (s->map == NULL || strlen(name) >= STATE_NAME_MAX)
		return NULL;
	r = state_find(s, name);
	if (r != NULL)
		return r;
	r = state_free_record(s);
	if (r == NULL && state_grow(s, s->count * 2) == 0)
		r = state_free_record(s);
	if (r == NULL)
		return NULL;
	*r = (struct state_pool){.min_override = -1, .max_override = -1};
	strcpy(r->name, name);
	PUT(r->used, STATE_USED);
	return r;
}

/* ---- between a pool and its record ---- */

static uint64_t *counter_of(struct pool_counters *c, unsigned i)
{
	uint64_t *const all[STATE_COUNTERS] = {&c->exits,     &c->signals,     &c->timeouts,   &c->boots,       &c->lifetimes,      &c->replaced,
					       &c->at_max_ms, &c->abandoned,   &c->queue_peak, &c->held_ms,     &c->queue_full_ms,  &c->slow_boot_ms,
					       &c->served,    &c->busy_us,     &c->slow,       &c->live_served, &c->live_abandoned, &c->live_busy_us,
					       &c->requests,  &c->crashing_ms, &c->templates};

	return all[i];
}

void state_save(struct pool *p)
{
	struct state_pool *r = state_intern(&p->m->state, p->name);

	if (r == NULL)
		return;
	PUT(r->flags, p->stopped ? STATE_STOPPED : 0);
	PUT(r->min_override, p->min_override);
	PUT(r->max_override, p->max_override);
	PUT(r->floor, p->floor);
	PUT(r->last_tag, p->last_tag);
	PUT(r->tag, p->tag);
	PUT(r->stable_tag, p->stable_tag);
	PUT(r->failed_generation, p->failed_generation);
	for (unsigned i = 0; i < STATE_COUNTERS; i++)
		PUT(r->counters[i], *counter_of(&p->counters, i));
}

static int32_t override_of(int32_t value)
{
	return value >= 0 && value <= 4096 ? value : -1;
}

void state_load(struct pool *p)
{
	struct state_pool *r = state_find(&p->m->state, p->name);

	if (r == NULL)
		return;
	p->stopped = (GET(r->flags) & STATE_STOPPED) != 0;
	p->min_override = override_of(GET(r->min_override));
	p->max_override = override_of(GET(r->max_override));
	p->floor = GET(r->floor);
	p->tag = GET(r->tag);
	p->stable_tag = GET(r->stable_tag);
	p->last_tag = GET(r->last_tag);
	p->failed_generation = GET(r->failed_generation);
	if (p->last_tag < p->tag)
		p->last_tag = p->tag;
	for (unsigned i = 0; i < STATE_COUNTERS; i++)
		*counter_of(&p->counters, i) = GET(r->counters[i]);
	p->board.known = (struct board_known){p->counters.live_served, p->counters.live_abandoned, p->counters.live_busy_us};
	p->counters.live_served = p->counters.live_abandoned = p->counters.live_busy_us = 0;
}

void state_forget(struct pool *p)
{
	struct state_pool *r = state_find(&p->m->state, p->name);

	if (r != NULL)
		PUT(r->used, STATE_FREE);
}
