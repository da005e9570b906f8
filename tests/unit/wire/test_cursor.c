/* Numbers and texts in buffers: every type both ways, every bound, what is malformed, and that a failure stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/wire/cursor.h"

/* One of each, as it must be in the bytes. */
static const uint8_t layout[] = {
	0x81, /* u8 */
	0x34, 0x12, /* u16 */
	0x78, 0x56, 0x34, 0x92, /* u32 */
	0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x81, /* u64 */
	0xfe, 0xff, 0xff, 0xff, /* i32 */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, /* i64 */
	0x02, 0x00, 0x00, 0x00, 'h',  'i',  0x00, /* str */
	0x00, 0x00, 0x00, 0x00, 0x00, /* str, of NULL */
	0x03, 0x00, 0x00, 0x00, 'a',  0x00, 'b', /* blob */
	0x00, 0x00, 0x00, 0x00, /* blob, empty */
};

static void put_all(struct wire_wr *w)
{
	wire_put_u8(w, 0x81);
	wire_put_u16(w, 0x1234);
	wire_put_u32(w, 0x92345678);
	wire_put_u64(w, 0x8123456789abcdef);
	wire_put_i32(w, -2);
	wire_put_i64(w, INT64_MIN);
	wire_put_str(w, "hi");
	wire_put_str(w, NULL);
	wire_put_blob(w, (struct wire_blob){(const uint8_t *)"a\0b", 3});
	wire_put_blob(w, (struct wire_blob){NULL, 0});
}

/* Of exactly this length, so that memory checkers see a look beyond it. */
static uint8_t *exact(const void *bytes, size_t len)
{
	uint8_t *at = malloc(len > 0 ? len : 1);

	assert_non_null(at);
	if (len > 0)
		memcpy(at, bytes, len);
	return at;
}

static void test_layout(void **state)
{
	uint8_t buf[sizeof(layout)];
	struct wire_wr w = {.at = buf, .cap = sizeof(buf)};

	(void)state;
	put_all(&w);
	assert_false(w.bad);
	assert_int_equal(w.len, sizeof(layout));
	assert_memory_equal(buf, layout, sizeof(layout));
}

static void test_reads_what_was_written(void **state)
{
	uint8_t *at = exact(layout, sizeof(layout));
	struct wire_rd r = {.at = at, .len = sizeof(layout)};
	struct wire_blob b;

	(void)state;
	assert_int_equal(wire_get_u8(&r), 0x81);
	assert_int_equal(wire_get_u16(&r), 0x1234);
	assert_int_equal(wire_get_u32(&r), 0x92345678);
	assert_true(wire_get_u64(&r) == 0x8123456789abcdef);
	assert_int_equal(wire_get_i32(&r), -2);
	assert_true(wire_get_i64(&r) == INT64_MIN);
	assert_string_equal(wire_get_str(&r), "hi");
	assert_string_equal(wire_get_str(&r), "");
	b = wire_get_blob(&r);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.at, "a\0b", 3);
	assert_false(wire_done(&r)); /* something is left */
	assert_int_equal(wire_get_blob(&r).len, 0);
	assert_true(wire_done(&r));
	free(at);
}

static void get_all(struct wire_rd *r)
{
	(void)wire_get_u8(r);
	(void)wire_get_u16(r);
	(void)wire_get_u32(r);
	(void)wire_get_u64(r);
	(void)wire_get_i32(r);
	(void)wire_get_i64(r);
	(void)wire_get_str(r);
	(void)wire_get_str(r);
	(void)wire_get_blob(r);
	(void)wire_get_blob(r);
}

static void test_every_cut_is_bad(void **state)
{
	(void)state;
	for (size_t len = 0; len <= sizeof(layout); len++) {
		uint8_t *at = exact(layout, len);
		struct wire_rd r = {.at = at, .len = len};

		get_all(&r);
		assert_int_equal(r.bad, len < sizeof(layout));
		assert_int_equal(wire_done(&r), len == sizeof(layout));
		assert_true(r.pos <= len);
		free(at);
	}
}

static void test_every_small_buffer_is_bad(void **state)
{
	(void)state;
	for (size_t cap = 0; cap <= sizeof(layout); cap++) {
		uint8_t *at = exact(layout, cap);
		struct wire_wr w = {.at = at, .cap = cap};

		memset(at, 0x55, cap);
		put_all(&w);
		assert_int_equal(w.bad, cap < sizeof(layout));
		assert_true(w.len <= cap);
		assert_memory_equal(at, layout, w.len);
		free(at);
	}
}

static void test_bad_stays_bad(void **state)
{
	uint8_t buf[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct wire_rd r = {.at = buf, .len = 3};
	struct wire_wr w = {.at = buf, .cap = 3};

	(void)state;
	assert_int_equal(wire_get_u32(&r), 0);
	assert_true(r.bad);
	/* These alone would fit. */
	assert_int_equal(wire_get_u8(&r), 0);
	assert_string_equal(wire_get_str(&r), "");
	assert_int_equal(wire_get_blob(&r).len, 0);
	assert_int_equal(wire_get_count(&r, 0), 0);
	r.pos = r.len;
	assert_false(wire_done(&r));

	wire_put_u32(&w, 0);
	assert_true(w.bad);
	wire_put_u8(&w, 9);
	assert_true(w.bad);
	assert_int_equal(w.len, 0);
	assert_int_equal(buf[0], 1);
}

static const struct {
	const char *bytes;
	size_t len;
	const char *want; /* NULL: malformed */
} texts[] = {
	{"\0\0\0\0\0", 5, ""},       {"\3\0\0\0abc\0", 8, "abc"},        {"\3\0\0\0abc", 7, NULL}, /* no last NUL */
	{"\3\0\0\0abcd", 8, NULL}, /* something else in its place */
	{"\3\0\0\0a\0c\0", 8, NULL}, /* an inner NUL */
	{"\3\0\0\0ab\0\0", 8, NULL}, /* the NUL is counted */
	{"\0\0\0\0x", 5, NULL},      {"\377\377\377\377abc\0", 8, NULL}, /* longer than all */
	{"\4\0\0\0abc\0", 8, NULL}, /* longer than the rest by the NUL */
	{"\0\0\0", 3, NULL},
};

static void test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		uint8_t *at = exact(texts[i].bytes, texts[i].len);
		struct wire_rd r = {.at = at, .len = texts[i].len};
		const char *got = wire_get_str(&r);

		assert_string_equal(got, texts[i].want != NULL ? texts[i].want : "");
		assert_int_equal(r.bad, texts[i].want == NULL);
		assert_int_equal(wire_done(&r), texts[i].want != NULL);
		free(at);
	}
}

static const struct {
	const char *bytes;
	size_t len, least;
	uint32_t want;
	bool bad;
} counts[] = {
	{"\0\0\0\0", 4, 4, 0, false}, {"\2\0\0\0aaaabbbb", 12, 4, 2, false},   {"\2\0\0\0aaaabbb", 11, 4, 0, true},
	{"\1\0\0\0", 4, 1, 0, true},  {"\377\377\377\377aaaa", 8, 4, 0, true}, {"\377\377\377\377aaaa", 8, SIZE_MAX, 0, true}, /* no product that overflows */
	{"\5\0\0\0", 4, 0, 5, false}, /* elements of no least length */
	{"\1\0\0", 3, 1, 0, true},
};

static void test_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct wire_rd r = {.at = (const uint8_t *)counts[i].bytes, .len = counts[i].len};

		assert_int_equal(wire_get_count(&r, counts[i].least), counts[i].want);
		assert_int_equal(r.bad, counts[i].bad);
	}
}

static void test_blob_longer_than_its_length(void **state)
{
	uint8_t buf[16];
	struct wire_wr w = {.at = buf, .cap = sizeof(buf)};

	(void)state;
	/* Its length does not fit the u32; not one byte of it may be looked at. */
	wire_put_blob(&w, (struct wire_blob){buf, (size_t)UINT32_MAX + 1});
	assert_true(w.bad);
	assert_int_equal(w.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),           cmocka_unit_test(test_reads_what_was_written),
		cmocka_unit_test(test_every_cut_is_bad), cmocka_unit_test(test_every_small_buffer_is_bad),
		cmocka_unit_test(test_bad_stays_bad),    cmocka_unit_test(test_texts),
		cmocka_unit_test(test_counts),           cmocka_unit_test(test_blob_longer_than_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
