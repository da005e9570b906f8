/* The cache that ldconfig writes (look process; sysdeps/generic/dl-cache.h of glibc).  In a chroot it is the account's or anybody's: no offset or count in
 * it is believed. */
#include "fcgipm/look/ldcache.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

/* Since glibc 2.2: 48 bytes of header, entries, strings.  Before it there may stand the older format, which then is skipped. */
static const char magic_new[] = "glibc-ld.so.cache1.1", magic_old[] = "ld.so-1.7.0";
enum { HEADER = 48, COUNT_AT = 20, FLAGS_AT = 28, ENTRY = 24, KEY_AT = 4, VALUE_AT = 8, OLD_HEADER = 16, OLD_COUNT_AT = 12, OLD_ENTRY = 12 };
enum { ENDIAN_MASK = 3, ENDIAN_UNSET = 0, ENDIAN_LITTLE = 2, ENDIAN_BIG = 3 };

static uint32_t u32_at(const char *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static bool is_new(const char *at, size_t len)
{
	return len >= HEADER && memcmp(at, magic_new, sizeof(magic_new) - 1) == 0;
}

/* Behind the old entries, aligned as a 64-bit number: to 8 bytes, to 4 on i386. */
static const char *skip_old(const char *at, size_t len)
{
	uint64_t end;

	if (len < OLD_HEADER || memcmp(at, magic_old, sizeof(magic_old) - 1) != 0)
		return at;
	end = OLD_HEADER + (uint64_t)u32_at(at + OLD_COUNT_AT) * OLD_ENTRY;
	for (uint64_t align = 8; align >= 4; align /= 2) {
		uint64_t next = (end + align - 1) / align * align;

		if (next < len && is_new(at + next, len - next))
			return at + next;
	}
	return at;
}

int ldcache_open(const void *bytes, size_t len, struct ldcache *ret)
{
	static const unsigned here = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ENDIAN_LITTLE : ENDIAN_BIG;
	const char *at = skip_old(bytes, len);
	size_t left = len - (size_t)(at - (const char *)bytes);
	unsigned endian;
	uint32_t count;

	if (!is_new(at, left))
		return -EBADMSG;
	endian = (unsigned char)at[FLAGS_AT] & ENDIAN_MASK;
	count = u32_at(at + COUNT_AT);
	if ((endian != ENDIAN_UNSET && endian != here) || count > (left - HEADER) / ENTRY)
		return -EBADMSG;
	*ret = (struct ldcache){at, left, count};
	return 0;
}

static const char *string_at(const struct ldcache *c, uint32_t offset)
{
	size_t room;

	if (offset >= c->len)
		return NULL;
	room = c->len - offset;
	return memchr(c->at + offset, '\0', room < PATH_MAX ? room : PATH_MAX) != NULL ? c->at + offset : NULL;
}

/* Compared without a search for the string's end: that of a hostile cache may be megabytes away, for every entry. */
static bool key_is(const struct ldcache *c, uint32_t offset, const char *name, size_t size)
{
	return offset < c->len && c->len - offset >= size && memcmp(c->at + offset, name, size) == 0;
}

const char *ldcache_next(const struct ldcache *c, const char *name, uint32_t *pos)
{
	size_t size = strlen(name) + 1;

	while (c->at != NULL && *pos < c->count) {
		const char *entry = c->at + HEADER + (size_t)(*pos)++ * ENTRY;
		const char *value = key_is(c, u32_at(entry + KEY_AT), name, size) ? string_at(c, u32_at(entry + VALUE_AT)) : NULL;

		if (value != NULL)
			return value;
	}
	return NULL;
}
