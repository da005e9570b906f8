/* Lines out of streams: whole, in pieces, too long, without an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fcgipm/base/text.h"
#include "fcgipm/manager/lines.h"
#include "fcgipm/manager/output.h"

struct seen {
	struct fp_doc text; /* each line followed by '|' */
	size_t longest, count;
};

static void each(void *ctx, const char *line, size_t len)
{
	struct seen *s = ctx;

	fp_doc_add(&s->text, "%.*s|", (int)len, line);
	s->count++;
	if (len > s->longest)
		s->longest = len;
}

static void feed(struct lines *l, struct seen *s, const char *text)
{
	lines_feed(l, text, strlen(text), each, s);
}

static void whole_lines(void **state)
{
	struct lines l = {0};
	struct seen s = {0};

	(void)state;
	feed(&l, &s, "one\ntwo\r\n\nfour\n");
	assert_string_equal(s.text.at, "one|two||four|");
	assert_null(l.part);
	fp_doc_fini(&s.text);
}

static void in_pieces(void **state)
{
	struct lines l = {0};
	struct seen s = {0};
	const char *text = "first\nsecond\r\nthird";

	(void)state;
	for (const char *c = text; *c != '\0'; c++)
		lines_feed(&l, c, 1, each, &s);
	assert_string_equal(s.text.at, "first|second|");
	lines_end(&l, each, &s);
	assert_string_equal(s.text.at, "first|second|third|");
	assert_null(l.part);
	fp_doc_fini(&s.text);
}

static void too_long(void **state)
{
	struct lines l = {0};
	struct seen s = {0};
	size_t size = 3 * LINES_MAX + 7;
	char *text = malloc(size + 1);

	(void)state;
	memset(text, 'x', size);
	text[size] = '\n';
	lines_feed(&l, text, size + 1, each, &s);
	assert_int_equal(s.longest, LINES_MAX);
	assert_int_equal(s.text.len, size + s.count);
	assert_null(l.part);
	free(text);
	fp_doc_fini(&s.text);
}

/* A line of exactly the greatest length is one line, however it arrives. */
static void just_fits(void **state)
{
	for (size_t cut = 0; cut <= LINES_MAX; cut += LINES_MAX / 8) {
		struct lines l = {0};
		struct seen s = {0};
		char text[LINES_MAX + 1];

		(void)state;
		memset(text, 'y', LINES_MAX);
		text[LINES_MAX] = '\n';
		lines_feed(&l, text, cut, each, &s);
		lines_feed(&l, text + cut, sizeof(text) - cut, each, &s);
		assert_int_equal(s.longest, LINES_MAX);
		assert_null(l.part);
		fp_doc_fini(&s.text);
	}
}

static void rate(void **state)
{
	struct output_rate r = {.tokens_ms = (int64_t)OUTPUT_BURST * 1000 / OUTPUT_A_SECOND, .filled_ms = 1000};
	unsigned passed = 0;

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		passed += output_rate_take(&r, 1000);
	assert_int_equal(passed, OUTPUT_BURST);
	for (unsigned ms = 0; ms < 10000; ms++)
		passed += output_rate_take(&r, 1001 + ms);
	assert_int_equal(passed, OUTPUT_BURST + 10 * OUTPUT_A_SECOND);
	passed = 0;
	for (unsigned i = 0; i < 10000; i++) /* however long it was quiet */
		passed += output_rate_take(&r, INT64_MAX / 2);
	assert_int_equal(passed, OUTPUT_BURST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_lines), cmocka_unit_test(in_pieces), cmocka_unit_test(too_long), cmocka_unit_test(just_fits), cmocka_unit_test(rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
