/* Findings that come in any order are told in the file's. */
#include "fcgipm/launcher/findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void add(struct findings *f, bool warning, struct spec_place place, const char *text)
{
	findings_add(f, &(struct finding){.warning = warning, .place = place, .file = "f", .pool = "a", .key = "", .text = text});
}

static void errors_come_first_and_then_the_files_order(void **state)
{
	struct findings f = {0};
	struct fp_doc d = {0};

	(void)state;
	add(&f, true, (struct spec_place){0, 1, 1}, "x");
	add(&f, false, (struct spec_place){1, 2, 3}, "second file");
	add(&f, false, (struct spec_place){0, 20, 3}, "x");
	add(&f, false, (struct spec_place){0, 9, 30}, "x");
	add(&f, false, (struct spec_place){0, 9, 4}, "came first");
	add(&f, false, (struct spec_place){0, 9, 4}, "came second");
	findings_print(&f, &d);
	assert_string_equal(d.at,
			    "f:9:4: pools.a: came first\nf:9:4: pools.a: came second\nf:9:30: pools.a: x\nf:20:3: pools.a: x\nf:2:3: pools.a: second file\n"
			    "f:1:1: warning: pools.a: x\n");
	fp_doc_fini(&d);
	findings_print(&f, &d); /* they are told once */
	assert_null(d.at);
}

static void thousands_are_kept(void **state)
{
	enum { MANY = 5000 };
	struct findings f = {0};
	struct fp_doc d = {0};
	const char *at;

	(void)state;
	for (uint32_t i = MANY; i > 0; i--) {
		add(&f, i % 2 == 0, (struct spec_place){0, i, 1}, "x");
	}
	findings_print(&f, &d);
	at = d.at;
	for (unsigned i = 0; i < MANY; i++, at = strchr(at, '\n') + 1) {
		unsigned line = 0;

		assert_int_equal(sscanf(at, "f:%u:1: ", &line), 1);
		assert_int_equal(line, i < MANY / 2 ? 2 * i + 1 : 2 * (i - MANY / 2) + 2);
	}
	assert_string_equal(at, "");
	fp_doc_fini(&d);
}

/* What several pools have from defaults is one line. */
static void what_is_inherited_is_said_once(void **state)
{
	static const struct {
		uint32_t pool;
		const char *name, *key, *text;
		bool warning;
		struct spec_place place;
	} rows[] = {
		{2, "c", "command", "missing", false, {0, 1, 9}}, {0, "a", "command", "missing", false, {0, 1, 9}},
		{1, "b", "command", "missing", false, {0, 5, 9}}, {0, "a", "command", "unreadable", false, {0, 1, 9}},
		{2, "c", "chroot", "bare", true, {0, 1, 30}},     {1, "b", "chroot", "bare", true, {0, 1, 30}},
		{0, "a", "chroot", "bare", true, {0, 1, 30}},     {1, "b", "command", "missing", false, {0, 5, 9}},
	};
	struct findings f = {0};
	struct fp_doc d = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		findings_add(&f, &(struct finding){rows[i].warning, rows[i].place, rows[i].pool, "f", rows[i].name, rows[i].key, rows[i].text});
	assert_int_equal(findings_print(&f, &d), 2);
	assert_string_equal(d.at, "f:1:9: defaults.command: missing\n"
				  "f:1:9: pools.a.command: unreadable\n"
				  "f:5:9: pools.b.command: missing\n"
				  "f:5:9: pools.b.command: missing\n" /* of one pool: who looked meant both */
				  "f:1:30: warning: defaults.chroot: bare\n");
	fp_doc_fini(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_come_first_and_then_the_files_order),
		cmocka_unit_test(thousands_are_kept),
		cmocka_unit_test(what_is_inherited_is_said_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
