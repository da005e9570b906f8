/* The sealed spec: the manager-wide part, one entry a pool, one blob a profile.  The reader runs in the launcher, as root, on bytes of a conf that may have
 * been taken over; it must never allocate more than the bytes can fill, nor leave half a result. */
#include "fcgipm/spec/spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/log.h"

#define SPEC_MAGIC 0x31504346u /* "FCP1" */
enum { SPEC_VERSION = 2, FILES_MAX = 4096, ENTRY_LEAST = 5 + 4 + 4 + 12 * SPEC_ORIGIN_COUNT, FILE_LEAST = 5, PROFILE_LEAST = 4 + 5 };

static void put_manager(struct wire_wr *w, const struct spec_manager *m)
{
	wire_put_str(w, m->user);
	wire_put_u32(w, m->uid);
	wire_put_u32(w, m->gid);
	wire_put_str(w, m->runtime_directory);
	wire_put_u32(w, m->max_workers);
	wire_put_str(w, m->log_target);
	wire_put_u8(w, m->log_level);
	wire_put_u8(w, m->log_format);
	wire_put_blob(w, m->settings);
}

static void put_entry(struct wire_wr *w, const struct spec_entry *e)
{
	wire_put_str(w, e->name);
	wire_put_blob(w, e->pool);
	wire_put_blob(w, e->settings);
	for (int i = 0; i < SPEC_ORIGIN_COUNT; i++) {
		wire_put_u32(w, e->places[i].file);
		wire_put_u32(w, e->places[i].line);
		wire_put_u32(w, e->places[i].column);
	}
}

void spec_file_encode(struct wire_wr *w, const struct spec_file *f)
{
	wire_put_u32(w, SPEC_MAGIC);
	wire_put_u32(w, SPEC_VERSION);
	put_manager(w, &f->manager);
	wire_put_u32(w, f->file_count);
	for (uint32_t i = 0; i < f->file_count; i++)
		wire_put_str(w, f->files[i]);
	wire_put_u32(w, f->pool_count);
	for (uint32_t i = 0; i < f->pool_count; i++)
		put_entry(w, &f->pools[i]);
	wire_put_u32(w, f->profile_count);
	for (uint32_t i = 0; i < f->profile_count; i++)
		wire_put_blob(w, f->profiles[i]);
}

static const char no_memory[] = "out of memory";

static bool log_target_ok(const char *text)
{
	return strcmp(text, "stderr") == 0 || strcmp(text, "syslog") == 0 || strcmp(text, "journal") == 0 || spec_path_ok(text);
}

static const char *get_manager(struct wire_rd *r, struct spec_manager *m)
{
	m->user = wire_get_str(r);
	m->uid = wire_get_u32(r);
	m->gid = wire_get_u32(r);
	m->runtime_directory = wire_get_str(r);
	m->max_workers = wire_get_u32(r);
	m->log_target = wire_get_str(r);
	m->log_level = wire_get_u8(r);
	m->log_format = wire_get_u8(r);
	m->settings = wire_get_blob(r);
	if (m->settings.len > SPEC_SETTINGS_MAX)
		return "settings too long";
	if (!spec_path_ok(m->runtime_directory) || m->runtime_directory[1] == '\0')
		return "runtime directory is no absolute path";
	if (!log_target_ok(m->log_target))
		return "log target is no absolute path";
	if (m->log_level > FP_LOG_DEBUG || m->log_format > FP_LOG_JSON)
		return "unknown log level or format";
	return m->max_workers > 0 ? NULL : "max_workers is 0";
}

static void get_entry(struct wire_rd *r, struct spec_entry *e)
{
	e->name = wire_get_str(r);
	e->pool = wire_get_blob(r);
	e->settings = wire_get_blob(r);
	for (int i = 0; i < SPEC_ORIGIN_COUNT; i++) {
		e->places[i].file = wire_get_u32(r);
		e->places[i].line = wire_get_u32(r);
		e->places[i].column = wire_get_u32(r);
	}
}

/* What pools and profiles begin with; "" where there is none. */
static const char *name_of(struct wire_blob spec)
{
	struct wire_rd rd = {.at = spec.at, .len = spec.len};

	return wire_get_str(&rd);
}

static const char *entry_wrong(const struct spec_entry *e, uint32_t file_count)
{
	for (int i = 0; i < SPEC_ORIGIN_COUNT; i++)
		if (e->places[i].file >= file_count)
			return "a place in a file that is not there";
	if (e->settings.len > SPEC_SETTINGS_MAX)
		return "settings too long";
	if (!spec_name_ok(e->name))
		return "a name that no pool may have";
	return strcmp(name_of(e->pool), e->name) == 0 ? NULL : "an entry under another pool's name";
}

static const char *get_pools(struct wire_rd *r, struct spec_file *f)
{
	for (uint32_t i = 0; i < f->pool_count; i++) {
		const char *wrong;

		get_entry(r, &f->pools[i]);
		wrong = entry_wrong(&f->pools[i], f->file_count);
		if (wrong != NULL)
			return wrong;
		if (i > 0 && strcmp(f->pools[i - 1].name, f->pools[i].name) >= 0)
			return "pools out of order";
	}
	return NULL;
}

static const char *get_profiles(struct wire_rd *r, struct spec_file *f)
{
	const char *before = "";

	for (uint32_t i = 0; i < f->profile_count; i++) {
		const char *name;

		f->profiles[i] = wire_get_blob(r);
		name = name_of(f->profiles[i]);
		if (!spec_profile_name_ok(name))
			return r->bad ? NULL : "a name that no profile may have";
		if (strcmp(before, name) >= 0)
			return "profiles out of order";
		before = name;
	}
	return NULL;
}

/* Where the first lists begin; they are passed over once, so that there is one place for them all: pools, profiles, then the pointers to the files' names. */
struct lists {
	struct wire_rd files, pools;
};

static const char *skip_lists(struct wire_rd *r, struct spec_file *f, struct lists *l)
{
	struct spec_entry e;

	f->file_count = wire_get_count(r, FILE_LEAST);
	if (f->file_count > FILES_MAX)
		return "too many files";
	l->files = *r;
	for (uint32_t i = 0; i < f->file_count; i++)
		(void)wire_get_str(r);
	f->pool_count = wire_get_count(r, ENTRY_LEAST);
	l->pools = *r;
	for (uint32_t i = 0; i < f->pool_count && !r->bad; i++)
		get_entry(r, &e);
	f->profile_count = wire_get_count(r, PROFILE_LEAST);
	return NULL;
}

static const char *get_lists(struct wire_rd *r, struct spec_file *f)
{
	struct lists l;
	const char *wrong = skip_lists(r, f, &l);

	if (wrong != NULL || r->bad)
		return wrong;
	f->arena = calloc(1, f->pool_count * sizeof(*f->pools) + f->profile_count * sizeof(*f->profiles) + f->file_count * sizeof(*f->files) + 1);
	if (f->arena == NULL)
		return no_memory;
	f->pools = f->arena;
	f->profiles = (void *)(f->pools + f->pool_count);
	f->files = (void *)(f->profiles + f->profile_count);
	for (uint32_t i = 0; i < f->file_count; i++)
		f->files[i] = wire_get_str(&l.files);
	wrong = get_pools(&l.pools, f);
	return wrong != NULL ? wrong : get_profiles(r, f);
}

int spec_file_decode(const void *bytes, size_t len, struct spec_file *ret, struct fp_err *err)
{
	struct wire_rd r = {.at = bytes, .len = len};
	struct spec_file f = {0};
	const char *wrong = NULL;

	if (wire_get_u32(&r) != SPEC_MAGIC || wire_get_u32(&r) != SPEC_VERSION)
		return fp_fail(err, EBADMSG, "the spec: not of this version");
	wrong = get_manager(&r, &f.manager);
	if (wrong == NULL && !r.bad)
		wrong = get_lists(&r, &f);
	if (wrong == NULL && wire_done(&r)) {
		*ret = f;
		return 0;
	}
	free(f.arena);
	return fp_fail(err, wrong == no_memory ? ENOMEM : EBADMSG, "the spec: %s", wrong != NULL && !r.bad ? wrong : "truncated or malformed");
}

void spec_file_free(struct spec_file *f)
{
	free(f->arena);
	*f = (struct spec_file){0};
}
