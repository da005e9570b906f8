/* Settings as bytes, as copies, and the difference of two.  Pure; conf writes the bytes, the manager reads them.  The reader must never
 * believe them: they come from a process that reads what people write. */
#include "fcgipm/settings/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/settings/check.h"
#include "fcgipm/settings/row.h"

enum { BLOB_VERSION = 1 };

static void put_list(struct wire_wr *w, const struct settings_row *row, const struct settings_list *l)
{
	wire_put_u64(w, settings_list_hash(l));
	if (row->audience == SETTINGS_HASH)
		return;
	wire_put_u32(w, l->count);
	for (uint32_t i = 0; i < l->count; i++)
		wire_put_str(w, l->items[i]);
}

static void put_rows(struct wire_wr *w, const struct settings_table *t, const void *s)
{
	wire_put_u32(w, BLOB_VERSION);
	for (uint32_t i = 0; i < t->count; i++) {
		const struct settings_row *row = &t->rows[i];
		enum settings_kind kind = settings_kind_of(row->type);

		if (kind == SETTINGS_NUMBER)
			wire_put_i64(w, settings_number(s, row));
		else if (kind == SETTINGS_TEXT)
			wire_put_str(w, settings_get_text(s, row));
		else
			put_list(w, row, settings_get_list(s, row));
	}
}

static int get_list(struct wire_rd *r, const struct settings_row *row, struct settings_list *l, struct fp_err *err)
{
	uint64_t hash = wire_get_u64(r);
	uint32_t count = row->audience == SETTINGS_HASH ? 0 : wire_get_count(r, 5);
	int e = 0;

	for (uint32_t i = 0; i < count && e == 0; i++) {
		const char *item = wire_get_str(r);

		e = r->bad ? -EBADMSG : settings_check_item(row, item, i, err);
		if (e == 0)
			e = settings_list_add(l, item);
	}
	l->hash = hash;
	return e;
}

static int get_number(struct wire_rd *r, const struct settings_row *row, void *s, struct fp_err *err)
{
	int64_t v = wire_get_i64(r);
	char written[32];
	int e = settings_check_number(row, v, settings_format(row, v, written, sizeof(written)), err);

	if (e == 0)
		settings_put_number(s, row, v);
	return e;
}

/* "" is what a row without a default holds when it is not given; of the others it must be one of their values. */
static int get_text(struct wire_rd *r, const struct settings_row *row, void *s, struct fp_err *err)
{
	const char *text = wire_get_str(r);
	bool is_none = text[0] == '\0' && row->preset == NULL;
	int e = r->bad ? -EBADMSG : is_none ? 0 : settings_check_text(row, text, err);

	return e < 0 ? e : settings_put_text(settings_text(s, row), text);
}

static int get_rows(struct wire_rd *r, const struct settings_table *t, void *s, struct fp_err *err)
{
	int e = wire_get_u32(r) == BLOB_VERSION ? 0 : -EBADMSG;

	for (uint32_t i = 0; i < t->count && e == 0; i++) {
		const struct settings_row *row = &t->rows[i];
		enum settings_kind kind = settings_kind_of(row->type);

		if (kind == SETTINGS_NUMBER)
			e = get_number(r, row, s, err);
		else if (kind == SETTINGS_TEXT)
			e = get_text(r, row, s, err);
		else
			e = get_list(r, row, settings_list(s, row), err);
		if (e == 0 && r->bad)
			e = -EBADMSG;
		if (e < 0)
			fp_fail_prefix(err, "%s: ", row->key);
	}
	return e;
}

static void put_ids(struct wire_wr *w, const struct settings_ids *ids)
{
	wire_put_u32(w, ids->count);
	for (uint32_t i = 0; i < ids->count; i++)
		wire_put_u32(w, ids->ids[i]);
}

static void put_acl(struct wire_wr *w, const struct settings_acl *a)
{
	put_ids(w, &a->uids);
	put_ids(w, &a->gids);
}

static int get_ids(struct wire_rd *r, struct settings_ids *ids)
{
	uint32_t count = wire_get_count(r, 4);

	if (count == 0)
		return 0;
	ids->ids = calloc(count, sizeof(*ids->ids));
	if (ids->ids == NULL)
		return -ENOMEM;
	ids->count = count;
	for (uint32_t i = 0; i < count; i++)
		ids->ids[i] = wire_get_u32(r);
	return 0;
}

static int get_acl(struct wire_rd *r, struct settings_acl *a)
{
	int e = get_ids(r, &a->uids);

	return e < 0 ? e : get_ids(r, &a->gids);
}

static int finish_decode(const struct wire_rd *r, int e, const char *what, struct fp_err *err)
{
	if (e == 0 && !wire_done(r))
		e = -EBADMSG;
	if (e == 0)
		return 0;
	fp_fail(err, e == -ENOMEM ? ENOMEM : EBADMSG, "malformed");
	fp_fail_prefix(err, "settings of %s: ", what);
	return e == -ENOMEM ? -ENOMEM : -EBADMSG;
}

void settings_pool_encode(struct wire_wr *w, const struct pool_settings *s)
{
	put_rows(w, &settings_pool_table, s);
	wire_put_str(w, s->name);
	wire_put_str(w, s->user_name);
	wire_put_u32(w, s->uid);
	wire_put_u32(w, s->gid);
	put_acl(w, &s->frontends_acl);
}

int settings_pool_decode(struct wire_blob blob, struct pool_settings *ret, struct fp_err *err)
{
	struct wire_rd r = {.at = blob.at, .len = blob.len};
	struct pool_settings s = {0};
	int e = get_rows(&r, &settings_pool_table, &s, err);

	if (e == 0)
		e = settings_put_text(&s.name, wire_get_str(&r));
	if (e == 0)
		e = settings_put_text(&s.user_name, wire_get_str(&r));
	s.uid = wire_get_u32(&r);
	s.gid = wire_get_u32(&r);
	if (e == 0)
		e = get_acl(&r, &s.frontends_acl);
	e = finish_decode(&r, e, "a pool", err);
	if (e < 0)
		settings_pool_free(&s);
	else
		*ret = s;
	return e;
}

void settings_manager_encode(struct wire_wr *w, const struct manager_settings *s)
{
	put_rows(w, &settings_manager_table, s);
	wire_put_str(w, s->user_name);
	wire_put_u32(w, s->uid);
	wire_put_u32(w, s->gid);
	put_acl(w, &s->operators_acl);
	put_acl(w, &s->observers_acl);
	put_acl(w, &s->frontends_acl);
	put_acl(w, &s->holders_acl);
}

int settings_manager_decode(struct wire_blob blob, struct manager_settings *ret, struct fp_err *err)
{
	struct wire_rd r = {.at = blob.at, .len = blob.len};
	struct manager_settings s = {0};
	struct settings_acl *acls[] = {&s.operators_acl, &s.observers_acl, &s.frontends_acl, &s.holders_acl};
	int e = get_rows(&r, &settings_manager_table, &s, err);

	if (e == 0)
		e = settings_put_text(&s.user_name, wire_get_str(&r));
	s.uid = wire_get_u32(&r);
	s.gid = wire_get_u32(&r);
	for (unsigned i = 0; i < sizeof(acls) / sizeof(acls[0]) && e == 0; i++)
		e = get_acl(&r, acls[i]);
	e = finish_decode(&r, e, "the manager", err);
	if (e < 0)
		settings_manager_free(&s);
	else
		*ret = s;
	return e;
}

static void free_rows(const struct settings_table *t, void *s)
{
	for (uint32_t i = 0; i < t->count; i++)
		settings_clear(s, &t->rows[i]);
}

static void free_acl(struct settings_acl *a)
{
	free(a->uids.ids);
	free(a->gids.ids);
}

void settings_pool_free(struct pool_settings *s)
{
	free_rows(&settings_pool_table, s);
	free((void *)(uintptr_t)s->name);
	free((void *)(uintptr_t)s->user_name);
	free_acl(&s->frontends_acl);
	*s = (struct pool_settings){0};
}

void settings_profile_free(struct profile_settings *s)
{
	free_rows(&settings_profile_table, s);
	*s = (struct profile_settings){0};
}

void settings_manager_free(struct manager_settings *s)
{
	free_rows(&settings_manager_table, s);
	free((void *)(uintptr_t)s->user_name);
	free_acl(&s->operators_acl);
	free_acl(&s->observers_acl);
	free_acl(&s->frontends_acl);
	free_acl(&s->holders_acl);
	*s = (struct manager_settings){0};
}

static int copy_row(const struct settings_row *row, const void *from, void *to)
{
	const struct settings_list *l = settings_get_list(from, row);
	int e = 0;

	if (settings_kind_of(row->type) == SETTINGS_NUMBER) {
		settings_put_number(to, row, settings_number(from, row));
		return 0;
	}
	if (settings_kind_of(row->type) == SETTINGS_TEXT)
		return settings_put_text(settings_text(to, row), settings_get_text(from, row));
	for (uint32_t i = 0; i < l->count && e == 0; i++)
		e = settings_list_add(settings_list(to, row), l->items[i]);
	settings_list(to, row)->hash = l->hash;
	return e;
}

int settings_pool_copy(const struct pool_settings *s, struct pool_settings *ret)
{
	struct pool_settings copy = {0};
	int e = 0;

	for (uint32_t i = 0; i < settings_pool_table.count && e == 0; i++)
		e = copy_row(&settings_pool_table.rows[i], s, &copy);
	if (e == 0)
		*ret = copy;
	else
		settings_pool_free(&copy);
	return e;
}

bool settings_same(const struct settings_row *row, const void *a, const void *b)
{
	enum settings_kind kind = settings_kind_of(row->type);

	if (kind == SETTINGS_NUMBER)
		return settings_number(a, row) == settings_number(b, row);
	if (kind == SETTINGS_TEXT)
		return strcmp(settings_get_text(a, row), settings_get_text(b, row)) == 0;
	return settings_list_hash(settings_get_list(a, row)) == settings_list_hash(settings_get_list(b, row));
}

struct difference {
	enum settings_class class;
	const char *key;
};

static void differ(struct difference *d, enum settings_class class, const char *key)
{
	if (class > d->class)
		*d = (struct difference){class, key};
}

static struct difference compare_rows(const struct settings_table *t, const void *a, const void *b)
{
	struct difference d = {SETTINGS_SAME, NULL};

	for (uint32_t i = 0; i < t->count; i++)
		if (!settings_same(&t->rows[i], a, b))
			differ(&d, t->rows[i].class, t->rows[i].key);
	return d;
}

static bool ids_same(const struct settings_ids *a, const struct settings_ids *b)
{
	return a->count == b->count && (a->count == 0 || memcmp(a->ids, b->ids, a->count * sizeof(*a->ids)) == 0);
}

static bool acl_same(const struct settings_acl *a, const struct settings_acl *b)
{
	return ids_same(&a->uids, &b->uids) && ids_same(&a->gids, &b->gids);
}

static enum settings_class tell(const struct difference *d, const char **ret_key)
{
	if (ret_key != NULL)
		*ret_key = d->key;
	return d->class;
}

enum settings_class settings_pool_compare(const struct pool_settings *a, const struct pool_settings *b, const char **ret_key)
{
	struct difference d = compare_rows(&settings_pool_table, a, b);

	/* The same name in the file may be another number by now. */
	if (a->uid != b->uid)
		differ(&d, SETTINGS_RECYCLE, "user");
	if (a->gid != b->gid)
		differ(&d, SETTINGS_RECYCLE, "group");
	if (!acl_same(&a->frontends_acl, &b->frontends_acl))
		differ(&d, SETTINGS_LIVE, "frontends");
	return tell(&d, ret_key);
}

enum settings_class settings_manager_compare(const struct manager_settings *a, const struct manager_settings *b, const char **ret_key)
{
	struct difference d = compare_rows(&settings_manager_table, a, b);

	if (a->uid != b->uid || a->gid != b->gid)
		differ(&d, SETTINGS_REBIND, "user");
	if (!acl_same(&a->operators_acl, &b->operators_acl))
		differ(&d, SETTINGS_LIVE, "control.operators");
	if (!acl_same(&a->observers_acl, &b->observers_acl))
		differ(&d, SETTINGS_LIVE, "control.observers");
	if (!acl_same(&a->frontends_acl, &b->frontends_acl))
		differ(&d, SETTINGS_LIVE, "control.frontends");
	if (!acl_same(&a->holders_acl, &b->holders_acl))
		differ(&d, SETTINGS_LIVE, "control.holders");
	return tell(&d, ret_key);
}
