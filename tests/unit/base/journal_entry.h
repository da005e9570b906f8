/* Reads an entry of the journal's native protocol, as https://systemd.io/JOURNAL_NATIVE_PROTOCOL/ has it, and nothing that it does not have. */
#ifndef TESTS_JOURNAL_ENTRY_H
#define TESTS_JOURNAL_ENTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { ENTRY_FIELDS_MAX = 256, ENTRY_NAME_MAX = 64 };

struct entry_field {
	const char *name, *value;
	size_t name_len, len;
};

struct entry {
	struct entry_field field[ENTRY_FIELDS_MAX];
	unsigned count;
};

/* What journald takes as a name from a client: others it drops. */
static inline bool entry_name_ok(const char *name, size_t len)
{
	if (len == 0 || len > ENTRY_NAME_MAX || name[0] == '_' || (name[0] >= '0' && name[0] <= '9'))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((name[i] < 'A' || name[i] > 'Z') && (name[i] < '0' || name[i] > '9') && name[i] != '_')
			return false;
	return true;
}

/* One field from at; where the next begins, or NULL where this is none. */
static inline const char *entry_read_field(const char *at, const char *end, struct entry_field *f)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at)), *equals;
	uint64_t len = 0;

	if (newline == NULL)
		return NULL;
	equals = memchr(at, '=', (size_t)(newline - at));
	*f = (struct entry_field){.name = at, .name_len = (size_t)((equals != NULL ? equals : newline) - at)};
	if (equals != NULL) {
		f->value = equals + 1;
		f->len = (size_t)(newline - f->value);
		return newline + 1;
	}
	if (end - newline < 1 + 8 + 1)
		return NULL;
	for (int i = 8; i > 0; i--)
		len = len << 8 | (unsigned char)newline[i];
	f->value = newline + 9;
	if (len >= (uint64_t)(end - f->value) || f->value[len] != '\n')
		return NULL;
	f->len = (size_t)len;
	return f->value + len + 1;
}

static inline bool entry_read(const char *bytes, size_t size, struct entry *ret)
{
	const char *at = bytes, *end = bytes + size;

	ret->count = 0;
	while (at != end) {
		struct entry_field *f = &ret->field[ret->count++];

		if (ret->count == ENTRY_FIELDS_MAX)
			return false;
		at = entry_read_field(at, end, f);
		if (at == NULL || !entry_name_ok(f->name, f->name_len))
			return false;
	}
	return ret->count > 0;
}

/* The one field of that name; NULL: none, or more than one. */
static inline const struct entry_field *entry_find(const struct entry *e, const char *name)
{
	const struct entry_field *found = NULL;

	for (unsigned i = 0; i < e->count; i++) {
		if (e->field[i].name_len != strlen(name) || memcmp(e->field[i].name, name, strlen(name)) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = &e->field[i];
	}
	return found;
}

static inline bool entry_is(const struct entry *e, const char *name, const char *value, size_t len)
{
	const struct entry_field *f = entry_find(e, name);

	return f != NULL && f->len == len && memcmp(f->value, value, len) == 0;
}

#endif
