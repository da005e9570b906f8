/* The status snapshot, read (runs in a frontend or in the command line).  All or nothing: after snapshot_decode() every
 * list can be read to its end.  It must never allocate by a number that the bytes do not bear out. */
#include "fcgipm/client/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "fcgipm/base/fd.h"

/* The least that one of each takes: a text is at least its length and its NUL. */
#define LEAST_u8  1
#define LEAST_u32 4
#define LEAST_i32 4
#define LEAST_u64 8
#define LEAST_i64 8
#define LEAST_str 5
// NOLINTNEXTLINE(bugprone-macro-parentheses): a sum of terms
#define LEAST(type, name) +LEAST_##type
enum {
	PID_BYTES = LEAST_i32,
	TEXT_LEAST = LEAST_str,
	POOL_LEAST = 0 WIRE_FIELDS_status_pool(LEAST) + 4 * LEAST_u32,
	PROFILE_LEAST = 0 WIRE_FIELDS_status_profile(LEAST)
};

static void read_pids(struct wire_rd *r, struct snapshot_list *l)
{
	l->count = wire_get_count(r, PID_BYTES);
	l->rest = *r;
	if (l->count > SNAPSHOT_PIDS_MAX)
		r->bad = true;
	for (uint32_t i = 0; i < l->count && !r->bad; i++)
		(void)wire_get_i32(r);
}

static void read_texts(struct wire_rd *r, struct snapshot_list *l)
{
	l->count = wire_get_count(r, TEXT_LEAST);
	l->rest = *r;
	if (l->count > SNAPSHOT_TEXTS_MAX)
		r->bad = true;
	for (uint32_t i = 0; i < l->count && !r->bad; i++)
		(void)wire_get_str(r);
}

static void read_pools(struct wire_rd *r, struct snapshot *s)
{
	for (uint32_t i = 0; i < s->count && !r->bad; i++) {
		(void)wire_read_status_pool(r, &s->pools[i].figures);
		read_pids(r, &s->pools[i].pids);
		read_texts(r, &s->pools[i].notes);
		read_texts(r, &s->pools[i].alarms);
		read_texts(r, &s->pools[i].decisions);
	}
}

/* 0 or -ENOMEM. */
static int read_profiles(struct wire_rd *r, struct snapshot *s)
{
	s->profile_count = wire_get_count(r, PROFILE_LEAST);
	s->profiles = r->bad ? NULL : calloc((size_t)s->profile_count + 1, sizeof(*s->profiles));
	for (uint32_t i = 0; i < s->profile_count && s->profiles != NULL; i++)
		(void)wire_read_status_profile(r, &s->profiles[i]);
	return s->profiles == NULL && !r->bad ? -ENOMEM : 0;
}

int snapshot_decode(const void *bytes, size_t len, struct snapshot *ret, struct fp_err *err)
{
	struct wire_rd r = {.at = bytes, .len = len};
	struct snapshot s = {.count = 0};

	if (wire_get_u32(&r) != WIRE_STATUS_MAGIC)
		return fp_fail(err, EBADMSG, "the status is of another version");
	(void)wire_read_status_manager(&r, &s.manager);
	s.count = wire_get_count(&r, POOL_LEAST);
	if (r.bad)
		return fp_fail(err, EBADMSG, "the status is malformed");
	s.pools = calloc((size_t)s.count + 1, sizeof(*s.pools));
	if (s.pools == NULL)
		return fp_fail(err, ENOMEM, "%m");
	read_pools(&r, &s);
	if (read_profiles(&r, &s) < 0) {
		free(s.pools);
		return fp_fail(err, ENOMEM, "%m");
	}
	if (!wire_done(&r)) {
		free(s.pools);
		free(s.profiles);
		return fp_fail(err, EBADMSG, "the status is malformed");
	}
	*ret = s;
	return 0;
}

static void unmap(const void *map, size_t len)
{
	if (map != NULL)
		(void)munmap((void *)(uintptr_t)map, len); /* the pages are read-only, the prototype is not */
}

int snapshot_open(int fd, struct snapshot *ret, struct fp_err *err)
{
	struct snapshot s;
	const void *map = NULL;
	size_t len = 0;
	int r = fp_memfd_map(fd, SNAPSHOT_MAX, &map, &len);

	if (r < 0)
		return fp_fail(err, -r, "cannot read the status: %m");
	r = snapshot_decode(map, len, &s, err);
	if (r < 0) {
		unmap(map, len);
		return r;
	}
	s.map = map;
	s.map_len = len;
	*ret = s;
	return 0;
}

void snapshot_free(struct snapshot *s)
{
	free(s->pools);
	free(s->profiles);
	unmap(s->map, s->map_len);
	*s = (struct snapshot){.count = 0};
}
