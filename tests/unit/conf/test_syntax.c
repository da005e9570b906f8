/* Syntax errors of YAML as the administrator reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/conf/world.h"

#define INDENT "(mend the indentation or the quotes)\n"
#define COLON  "a \":\" where no key can be (mend the indentation, or quote a value that holds \": \"; a key has at most 1024 characters)\n"
#define TAB    "a tab in the indentation (spaces only)\n"
#define QUOTE  "no escape sequence (\"\\\\\" for a backslash, or single quotes)\n"

static const struct {
	const char *yaml, *text;
} cases[] = {
	{"pools:\n\ta: {}\n", "2:1: " TAB},
	{"pools:\n  a:\n    user: x\n\tgroup: y\n", "4:1: " TAB},
	{"a: [@adm]\n", "1:5: a value cannot begin with \"@\" (write it in quotes, such as \"@adm\")\n"},
	{"a: `x`\n", "1:4: a value cannot begin with a backquote (write it in quotes)\n"},
	{"a: %i\n", "1:4: a value cannot begin with \"%\" (write it in quotes)\n"},
	{"pools:\n  a:\n    user: x\n      group: y\n", "4:12: " COLON},
	{"a: b: c\n", "1:5: " COLON},
	{"pools:\n  a:\n    user: x\n   group: y\n", "4:4: no key of the mapping that begins in line 2 " INDENT},
	{"a: 'b' c\n", "1:8: no key of the mapping that begins in line 1 " INDENT},
	{"a:\n  b: c\n  - d\n", "3:3: no key of the mapping that begins in line 2 " INDENT},
	{"a:\n  b: c\n  d\n", "4:1: no \":\" after the key in line 3 (KEY: VALUE, with a blank between; a key has at most 1024 characters)\n"},
	{"a:\n  - b\n  c: d\n", "3:3: no item of the list that begins in line 2 (\"- \" in the same column as the others)\n"},
	{"a: [b\nc: d\n", "2:2: no end of the list that begins in line 1 (\",\" or \"]\")\n"},
	{"a: {b: c\nd: e\n", "2:2: no end of the mapping that begins in line 1 (\",\" or \"}\")\n"},
	{"a: 'b\nc: d\n", "3:1: no end of the quoted text that begins in line 1 (close the quotes)\n"},
	{"a: \"\\d\"\n", "1:5: " QUOTE},
	{"a: \"\\xZZ\"\n", "1:7: " QUOTE},
	{"a: - b\n", "1:4: an item of a list where none can be (begin a line with \"- \", or write [a, b])\n"},
	{"a: ]\n", "1:4: no value (a comma or a bracket too many?)\n"},
	{"a: [b,,c]\n", "1:7: no value (a comma or a bracket too many?)\n"},
	{"a: {b:}\n", "1:6: a \":\" without a blank behind it ({KEY: VALUE}, or the value in quotes)\n"},
	{"a: *\n", "1:5: neither \"&\" nor \"*\" can begin a value (write it in quotes)\n"},
	{"a: |x\n  b\n", "1:5: text in the line of a \"|\" or \">\" (it begins in the next line, or goes in quotes)\n"},
	{"%FOO\na: b\n", "1:5: a line that begins with \"%\" (leave it out)\n"},
	{"%YAML 1.3\n---\na: b\n", "1:1: another version of YAML (leave out lines that begin with \"%\")\n"},
	{"a: b\n...\nc: d\n", "3:1: no part of the document (leave out \"...\" and lines that begin with \"%\")\n"},
	/* What is not in the table is passed on. */
	{"a: !<x\n", "1:7: did not find the expected '>', while scanning a tag that starts in line 1\n"},
};

static void test_syntax(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct judged g;
		char want[256];

		snprintf(want, sizeof(want), "p.yaml:%s", cases[i].text);
		judge_text(&g, world_of_root(), cases[i].yaml, strlen(cases[i].yaml));
		assert_string_equal(g.text.at, want);
		judged_free(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_syntax)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
