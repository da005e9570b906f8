/* /etc/ld.so.cache in memory: of both formats, and broken in every byte. */
#include "fcgipm/look/ldcache.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { HEADER = 48, ENTRY = 24, COUNT = 3, STRINGS = HEADER + COUNT * ENTRY, OLD = 16 + 2 * 12 };

static const char strings[] = "libz.so.1\0/lib/libz.so.1\0libc.so.6\0/lib/libc.so.6\0/lib32/libz.so.1";
enum { LEN = STRINGS + sizeof(strings) };

static void put(char *at, uint32_t v)
{
	memcpy(at, &v, sizeof(v));
}

/* Three entries: libz.so.1 for two machines, libc.so.6. */
static void make(char *at)
{
	static const uint32_t keys[COUNT] = {0, 0, 25}, values[COUNT] = {10, 50, 35};

	memset(at, 0, LEN);
	memcpy(at, "glibc-ld.so.cache1.1", 20);
	put(at + 20, COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		put(at + HEADER + i * ENTRY + 4, STRINGS + keys[i]);
		put(at + HEADER + i * ENTRY + 8, STRINGS + values[i]);
	}
	memcpy(at + STRINGS, strings, sizeof(strings));
}

static void names_have_their_files(void **state)
{
	char bytes[LEN];
	struct ldcache c;
	uint32_t pos = 0;

	(void)state;
	make(bytes);
	assert_int_equal(ldcache_open(bytes, LEN, &c), 0);
	assert_string_equal(ldcache_next(&c, "libz.so.1", &pos), "/lib/libz.so.1");
	assert_string_equal(ldcache_next(&c, "libz.so.1", &pos), "/lib32/libz.so.1");
	assert_null(ldcache_next(&c, "libz.so.1", &pos));
	pos = 0;
	assert_string_equal(ldcache_next(&c, "libc.so.6", &pos), "/lib/libc.so.6");
	pos = 0;
	assert_null(ldcache_next(&c, "libz.so", &pos));
	assert_null(ldcache_next(&(struct ldcache){0}, "libz.so.1", &(uint32_t){0}));
}

static void the_older_format_may_stand_before(void **state)
{
	char bytes[OLD + LEN] = "ld.so-1.7.0";
	struct ldcache c;

	(void)state;
	put(bytes + 12, 2);
	make(bytes + OLD);
	assert_int_equal(ldcache_open(bytes, sizeof(bytes), &c), 0);
	assert_string_equal(ldcache_next(&c, "libc.so.6", &(uint32_t){0}), "/lib/libc.so.6");
	put(bytes + 12, UINT32_MAX);
	assert_int_equal(ldcache_open(bytes, sizeof(bytes), &c), -EBADMSG);
}

static void what_is_no_cache_is_refused(void **state)
{
	char bytes[LEN];
	struct ldcache c;

	(void)state;
	make(bytes);
	for (size_t len = 0; len < STRINGS; len++)
		assert_int_equal(ldcache_open(bytes, len, &c), -EBADMSG);
	put(bytes + 20, UINT32_MAX);
	assert_int_equal(ldcache_open(bytes, LEN, &c), -EBADMSG);
	make(bytes);
	bytes[28] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 3 : 2; /* the other byte order */
	assert_int_equal(ldcache_open(bytes, LEN, &c), -EBADMSG);
}

static void strings_beyond_the_end_are_none(void **state)
{
	char bytes[LEN];
	struct ldcache c;

	(void)state;
	for (size_t at = HEADER; at < LEN; at++) {
		make(bytes);
		bytes[at] = (char)0xff;
		bytes[LEN - 1] = 'x'; /* the last one does not end */
		assert_int_equal(ldcache_open(bytes, LEN, &c), 0);
		for (uint32_t pos = 0; pos < c.count;) {
			const char *path = ldcache_next(&c, "libz.so.1", &pos);

			assert_true(path == NULL || memchr(path, '\0', (size_t)(bytes + LEN - path)) != NULL);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_their_files),
		cmocka_unit_test(the_older_format_may_stand_before),
		cmocka_unit_test(what_is_no_cache_is_refused),
		cmocka_unit_test(strings_beyond_the_end_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
