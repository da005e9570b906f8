/* Patterns: as fnmatch(3) has them, on every short text over a small alphabet, and in time that does not grow with the stars. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* before cmocka.h */
#include <cmocka.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/broker/glob.h"

static const char *const patterns[] = {"",      "*",     "**",   "a",      "?",  "a*",  "*a",          "*a*", "a?b",    "a*b*c",  "*.c",    "[ab]",
				       "[!ab]", "[^a]*", "[]a]", "[a-c]?", "a[", "a[b", "[[:alpha:]]", "?*?", "*[b]*a", "--*=?*", "a*a*a*b"};

/* The n-th text over "abc/.]-=". */
static void spell(unsigned n, char *ret)
{
	for (; n > 0; n /= 9)
		if (n % 9 > 0)
			*ret++ = "abc/.]-="[n % 9 - 1];
	*ret = '\0';
}

static void as_fnmatch(void **state)
{
	char text[16];

	(void)state;
	for (size_t p = 0; p < sizeof(patterns) / sizeof(patterns[0]); p++)
		for (unsigned n = 0; n < 9 * 9 * 9 * 9; n++) {
			spell(n, text);
			if (broker_glob(patterns[p], text) != (fnmatch(patterns[p], text, FNM_NOESCAPE) == 0))
				fail_msg("%s, %s", patterns[p], text);
		}
}

static void many_stars_on_a_long_text(void **state)
{
	enum { LEN = 1 << 18 };
	char *text = malloc(LEN + 1);

	(void)state;
	memset(text, 'a', LEN);
	text[LEN] = '\0';
	assert_false(broker_glob("*a*a*a*a*a*a*a*a*b", text));
	assert_true(broker_glob("*a*a*a*a*a*a*a*a*", text));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(as_fnmatch), cmocka_unit_test(many_stars_on_a_long_text)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
