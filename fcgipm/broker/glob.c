/* Pattern matching (launcher process): the text is foreign. */
#include "fcgipm/broker/glob.h"

#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

enum { SET_MAX = 128 };

/* "[:alpha:]" in a set. */
static const char *past_class(const char *p)
{
	const char *end = strstr(p, ":]");

	return end != NULL ? end + 2 : NULL;
}

/* The length of the set that begins here, brackets included; 0: it is none, and its bracket a byte like others. */
static size_t set_len(const char *p)
{
	const char *end = p + 1;

	end += *end == '!' || *end == '^';
	end += *end == ']';
	while (end != NULL && *end != ']' && *end != '\0')
		end = end[0] == '[' && end[1] == ':' ? past_class(end) : end + 1;
	return end != NULL && *end == ']' && (size_t)(end - p) + 2 <= SET_MAX ? (size_t)(end - p) + 1 : 0;
}

static bool is_in_set(const char *p, size_t len, char byte)
{
	char set[SET_MAX], one[2] = {byte, '\0'};

	memcpy(set, p, len);
	set[len] = '\0';
	return fnmatch(set, one, FNM_NOESCAPE) == 0;
}

/* How much of the pattern stands for this byte; 0: none does. */
static size_t one(const char *p, char byte)
{
	size_t set = *p == '[' ? set_len(p) : 0;

	if (set > 0)
		return is_in_set(p, set, byte) ? set : 0;
	return *p == '?' || *p == byte;
}

/* Only the last star has to be tried anew: what an earlier one stands for is as little as can be. */
bool broker_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL;

	while (*text != '\0') {
		size_t n = *pattern != '\0' && *pattern != '*' ? one(pattern, *text) : 0;

		if (*pattern == '*') {
			star = ++pattern;
			from = text;
		} else if (n > 0) {
			pattern += n;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
