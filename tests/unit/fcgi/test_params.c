/* Name-value pairs, whatever the pieces they come in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "fcgipm/fcgi/params.h"

static char long_value[70000];
static uint8_t wire[80000];

static struct fcgi_pair pair(const char *name, const char *value)
{
	return (struct fcgi_pair){name, strlen(name), value, strlen(value)};
}

static size_t write_all(const struct fcgi_pair *p, size_t piece)
{
	size_t at = 0, size = (size_t)fcgi_pair_size(p);

	while (at < size) {
		size_t n = fcgi_pair_copy(p, at, wire + at, size - at < piece ? size - at : piece);

		assert_true(n > 0);
		at += n;
	}
	assert_int_equal(fcgi_pair_copy(p, size, wire + size, 10), 0);
	return size;
}

/* Reads one pair from pieces; everything but the pair's own bytes is left. */
static void reads_back(const struct fcgi_pair *p, size_t size, size_t piece)
{
	static char buf[80000];
	struct fcgi_params_reader r = FCGI_PARAMS_READER(buf, sizeof(buf));
	struct fcgi_pair got = {.name = NULL};
	size_t at = 0;

	while (at < size && got.name == NULL) {
		size_t n = size - at < piece ? size - at : piece;

		at += fcgi_params_read(&r, wire + at, n, &got);
	}
	assert_int_equal(at, size);
	assert_non_null(got.name);
	assert_int_equal(got.name_len, p->name_len);
	assert_int_equal(got.value_len, p->value_len);
	assert_memory_equal(got.name, p->name, p->name_len);
	assert_memory_equal(got.value, p->value, p->value_len);
	assert_int_equal(got.name[got.name_len] | got.value[got.value_len], 0);
	assert_int_equal(fcgi_params_end(&r), 0);
}

static void test_lengths_of_one_and_of_four_bytes(void **state)
{
	static const size_t lengths[] = {0, 1, 127, 128, 129, 255, 256, 65535, 69999};
	static const size_t pieces[] = {1, 2, 3, 7, 4096, sizeof(wire)};

	(void)state;
	memset(long_value, 'v', sizeof(long_value));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct fcgi_pair p = {"NAME", 4, long_value, lengths[i]};

		assert_int_equal(fcgi_pair_size(&p), 1 + (lengths[i] < 128 ? 1 : 4) + 4 + lengths[i]);
		for (size_t n = 0; n < sizeof(pieces) / sizeof(pieces[0]); n++)
			reads_back(&p, write_all(&p, pieces[n]), pieces[n]);
	}
}

static void test_bytes_of_the_specification(void **state)
{
	struct fcgi_pair p = pair("A", "bc");

	(void)state;
	assert_int_equal(write_all(&p, 100), 5);
	assert_memory_equal(wire, "\1\2Abc", 5);
	p = (struct fcgi_pair){"A", 1, long_value, 128};
	assert_int_equal(write_all(&p, 1000), 1 + 4 + 1 + 128);
	assert_memory_equal(wire,
			    "\1\x80\0\0\x80"
			    "A",
			    6);
}

static void test_what_does_not_fit_ends_the_reading(void **state)
{
	char room[8 + 64], *const small = room;
	static const char untouched[64];
	struct fcgi_params_reader r = FCGI_PARAMS_READER(small, 8);
	struct fcgi_pair p = pair("NAME", "abc"), got;
	size_t size = write_all(&p, 100);

	(void)state;
	memset(room, 0, sizeof(room));
	assert_int_equal(fcgi_params_read(&r, wire, size, &got), size);
	assert_null(got.name); /* 4 + 3 and two NULs are nine */
	assert_int_equal(fcgi_params_end(&r), -EMSGSIZE);
	assert_int_equal(fcgi_params_read(&r, (const uint8_t *)"\1\1Ab", 4, &got), 4);
	assert_null(got.name);
	r = FCGI_PARAMS_READER(small, 8);
	assert_int_equal(fcgi_params_read(&r, (const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xffx", 9, &got), 9);
	for (unsigned i = 0; i < 16; i++) {
		assert_int_equal(fcgi_params_read(&r, (const uint8_t *)"what comes after", 16, &got), 16);
		assert_null(got.name);
	}
	assert_int_equal(fcgi_params_end(&r), -EMSGSIZE);
	assert_memory_equal(room + 8, untouched, sizeof(untouched));
}

static void test_an_end_within_a_pair(void **state)
{
	char buf[64];
	struct fcgi_pair p = pair("NAME", "value"), got;
	size_t size = write_all(&p, 100);

	(void)state;
	for (size_t n = 0; n < size; n++) {
		struct fcgi_params_reader r = FCGI_PARAMS_READER(buf, sizeof(buf));

		assert_int_equal(fcgi_params_read(&r, wire, n, &got), n);
		assert_null(got.name);
		assert_int_equal(fcgi_params_end(&r), n == 0 ? 0 : -EPROTO);
	}
}

static void test_lengths_that_cannot_be_written(void **state)
{
	struct fcgi_pair p = {"A", 1, NULL, FCGI_PAIR_LENGTH_MAX};

	(void)state;
	assert_true(fcgi_pair_fits(&p));
	p.value_len++;
	assert_false(fcgi_pair_fits(&p));
	p = (struct fcgi_pair){NULL, (size_t)FCGI_PAIR_LENGTH_MAX + 1, "", 0};
	assert_false(fcgi_pair_fits(&p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths_of_one_and_of_four_bytes),   cmocka_unit_test(test_bytes_of_the_specification),
		cmocka_unit_test(test_what_does_not_fit_ends_the_reading), cmocka_unit_test(test_an_end_within_a_pair),
		cmocka_unit_test(test_lengths_that_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
