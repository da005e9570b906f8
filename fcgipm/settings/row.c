/* The rows as a table, and the members behind them.  Pure; in conf, manager and the command line. */
#include "fcgipm/settings/row.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/hash.h"

#define ROW(owner, key_, member, type_, preset_, choices_, least_, greatest_, class_, audience_, status_, doc_)                                                \
	{                                                                                                                                                      \
		.key = key_,                                                                                                                                   \
		.at = offsetof(struct owner, member),                                                                                                          \
		.type = SETTINGS_##type_,                                                                                                                      \
		.preset = preset_,                                                                                                                             \
		.choices = choices_,                                                                                                                           \
		.least = least_,                                                                                                                               \
		.greatest = greatest_,                                                                                                                         \
		.class = SETTINGS_##class_,                                                                                                                    \
		.audience = SETTINGS_##audience_,                                                                                                              \
		.status = SETTINGS_##status_,                                                                                                                  \
		.doc = doc_,                                                                                                                                   \
	},
#define POOL_ROW(...)    ROW(pool_settings, __VA_ARGS__)
#define PROFILE_ROW(...) ROW(profile_settings, __VA_ARGS__)
#define MANAGER_ROW(...) ROW(manager_settings, __VA_ARGS__)

static const struct settings_row pool_rows[] = {SETTINGS_POOL_ROWS(POOL_ROW)};
static const struct settings_row profile_rows[] = {SETTINGS_PROFILE_ROWS(PROFILE_ROW)};
static const struct settings_row manager_rows[] = {SETTINGS_MANAGER_ROWS(MANAGER_ROW)};
const struct settings_table settings_pool_table = {pool_rows, SETTINGS_POOL_COUNT, "pool"};
const struct settings_table settings_profile_table = {profile_rows, SETTINGS_PROFILE_COUNT, "profile"};
const struct settings_table settings_manager_table = {manager_rows, SETTINGS_MANAGER_COUNT, "manager"};

#define KIND(type, c_type, kind) [SETTINGS_##type] = SETTINGS_##kind,
enum settings_kind settings_kind_of(enum settings_type type)
{
	static const enum settings_kind kinds[] = {SETTINGS_TYPES(KIND)};

	return kinds[type];
}

const struct settings_row *settings_find(const struct settings_table *t, const char *key)
{
	for (uint32_t i = 0; i < t->count; i++)
		if (strcmp(t->rows[i].key, key) == 0)
			return &t->rows[i];
	return NULL;
}

static void *member(void *s, const struct settings_row *row)
{
	return (char *)s + row->at;
}

static const void *member_of(const void *s, const struct settings_row *row)
{
	return (const char *)s + row->at;
}

const char **settings_text(void *s, const struct settings_row *row)
{
	return member(s, row);
}

struct settings_list *settings_list(void *s, const struct settings_row *row)
{
	return member(s, row);
}

const char *settings_get_text(const void *s, const struct settings_row *row)
{
	const char *text = *(const char *const *)member_of(s, row);

	return text != NULL ? text : "";
}

const struct settings_list *settings_get_list(const void *s, const struct settings_row *row)
{
	return member_of(s, row);
}

int64_t settings_number(const void *s, const struct settings_row *row)
{
	const void *at = member_of(s, row);

	switch (row->type) {
	case SETTINGS_COUNT:
		return *(const settings_type_COUNT *)at;
	case SETTINGS_DURATION:
		return *(const settings_type_DURATION *)at;
	case SETTINGS_SIZE:
		return (int64_t) * (const settings_type_SIZE *)at;
	case SETTINGS_SWITCH:
		return *(const settings_type_SWITCH *)at;
	default:
		return *(const int32_t *)at;
	}
}

void settings_put_number(void *s, const struct settings_row *row, int64_t v)
{
	void *at = member(s, row);

	switch (row->type) {
	case SETTINGS_COUNT:
		*(settings_type_COUNT *)at = (settings_type_COUNT)v;
		break;
	case SETTINGS_DURATION:
		*(settings_type_DURATION *)at = v;
		break;
	case SETTINGS_SIZE:
		*(settings_type_SIZE *)at = (settings_type_SIZE)v;
		break;
	case SETTINGS_SWITCH:
		*(settings_type_SWITCH *)at = v != 0;
		break;
	default:
		*(int32_t *)at = (int32_t)v;
		break;
	}
}

int settings_put_text(const char **to, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return -ENOMEM;
	free((void *)(uintptr_t)*to);
	*to = copy;
	return 0;
}

uint64_t settings_list_hash(const struct settings_list *l)
{
	uint64_t hash = FP_HASH_INIT;

	if (l->hash != 0)
		return l->hash;
	for (uint32_t i = 0; i < l->count; i++)
		hash = fp_hash_str(hash, l->items[i]);
	return hash;
}

/* Makes room for one more at index at.  Doubles at powers of two. */
static int list_open(struct settings_list *l, uint32_t at)
{
	if ((l->count & (l->count - 1)) == 0) {
		char **more = realloc(l->items, (l->count == 0 ? 1 : 2 * (size_t)l->count) * sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		l->items = more;
	}
	memmove(l->items + at + 1, l->items + at, (l->count - at) * sizeof(*l->items));
	l->count++;
	return 0;
}

static int list_insert(struct settings_list *l, uint32_t at, bool replace, const char *item)
{
	char *copy = strdup(item);

	if (copy == NULL)
		return -ENOMEM;
	if (replace) {
		free(l->items[at]);
	} else if (list_open(l, at) < 0) {
		free(copy);
		return -ENOMEM;
	}
	l->items[at] = copy;
	return 0;
}

int settings_list_add(struct settings_list *l, const char *item)
{
	return list_insert(l, l->count, false, item);
}

/* Less, equal or greater by the names before "=". */
static int pair_order(const char *a, const char *b)
{
	size_t la = strcspn(a, "="), lb = strcspn(b, "=");
	int order = memcmp(a, b, la < lb ? la : lb);

	return order != 0 ? order : (la > lb) - (la < lb);
}

int settings_list_add_pair(struct settings_list *l, const char *item)
{
	uint32_t low = 0, high = l->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (pair_order(l->items[middle], item) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return list_insert(l, low, low < l->count && pair_order(l->items[low], item) == 0, item);
}

void settings_list_free(struct settings_list *l)
{
	for (uint32_t i = 0; i < l->count; i++)
		free(l->items[i]);
	free(l->items);
	*l = (struct settings_list){0};
}

void settings_clear(void *s, const struct settings_row *row)
{
	enum settings_kind kind = settings_kind_of(row->type);

	if (kind == SETTINGS_NUMBER) {
		settings_put_number(s, row, 0);
	} else if (kind == SETTINGS_LIST) {
		settings_list_free(settings_list(s, row));
	} else {
		free((void *)(uintptr_t)*settings_text(s, row));
		*settings_text(s, row) = NULL;
	}
}
