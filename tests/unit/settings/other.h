/* For every row a value that is not its default, as an administrator could write it. */
#ifndef TESTS_UNIT_SETTINGS_OTHER_H
#define TESTS_UNIT_SETTINGS_OTHER_H

#include <stdio.h>
#include <string.h>

#include "fcgipm/settings/settings.h"

/* The last choice that is there already. */
static inline const char *other_choice(const struct settings_row *row, char *buf, size_t cap)
{
	const char *at = row->choices, *last = at;
	size_t len = 0;

	while (*at != '\0') {
		size_t n = strcspn(at, "|");

		if (at[n - 1] != '*') {
			last = at;
			len = n;
		}
		at += n + (at[n] == '|');
	}
	snprintf(buf, cap, "%.*s", (int)len, last);
	return buf;
}

static inline const char *other_text(const struct settings_row *row, char *buf, size_t cap)
{
	switch (row->type) {
	case SETTINGS_SIGNAL:
	case SETTINGS_CHOICE:
		return other_choice(row, buf, cap);
	case SETTINGS_SWITCH:
		return strcmp(row->preset, "true") == 0 ? "false" : "true";
	case SETTINGS_CHOICE_OR_PATH:
	case SETTINGS_PATH:
		return "/srv/a \"b\"";
	case SETTINGS_LISTEN:
		return "[::1]:9000";
	case SETTINGS_ACCOUNT:
		return "bob";
	case SETTINGS_MODE:
		snprintf(buf, cap, "%04o", (unsigned)row->greatest);
		return buf;
	default:
		snprintf(buf, cap, "%lld%s", (long long)row->greatest, row->type == SETTINGS_DURATION ? "ms" : "");
		return buf;
	}
}

/* The items of a list, until NULL.  Values hold whatever a text can: an end of line, quotes, what YAML takes for a break or a mark. */
static inline const char *const *other_items(const struct settings_row *row)
{
	static const char *const command[] = {"/bin/x", "", "-a: [b, {c}] #d", "'\"\\", "null", "\t \n\r\x1b\x7f", " \xe2\x80\xa8 \xe2\x80\xa9 ", NULL};
	static const char *const environment[] = {
		"A=", "B==x=", "C:d=#", "M\xc3\xbc=\xf0\x9f\x90\x98\xc2\x85\xc2\xa0", "N=\xef\xbb\xbf\xef\xbf\xbe\xef\xbf\xbf", "SECRET=Xyzzy42", NULL};
	static const char *const peers[] = {"bob", "@hosting", "1000", NULL};
	static const char *const words[] = {"null", "TZ", NULL}; /* names of groups or of variables */
	static const char *const roots[] = {"/usr/lib/cgi-bin", "/home/*/x", "/srv/[a-c]?/a b", NULL};
	static const char *const names[] = {"TZ", "LC_*", "null", NULL};
	static const char *const patterns[] = {"--*", "*", "[a]", "null", "\"\\'", "#: - \xe2\x80\xa8", NULL};
	static const char *const capabilities[] = {"CAP_NET_RAW", "lease", NULL};

	switch (row->type) {
	case SETTINGS_COMMAND:
		return command;
	case SETTINGS_ENVIRONMENT:
		return environment;
	case SETTINGS_CAPABILITIES:
		return capabilities;
	case SETTINGS_PEERS:
		return peers;
	case SETTINGS_ROOTS:
		return roots;
	case SETTINGS_NAME_PATTERNS:
		return names;
	case SETTINGS_PATTERNS:
		return patterns;
	default:
		return words;
	}
}

static inline int other_set(void *s, const struct settings_row *row, struct fp_err *err)
{
	const char *const *item = other_items(row);
	char buf[64];
	int r;

	if (settings_kind_of(row->type) != SETTINGS_LIST)
		return settings_set(s, row, other_text(row, buf, sizeof(buf)), err);
	settings_clear(s, row);
	do
		r = settings_add(s, row, *item, err);
	while (r == 0 && *++item != NULL);
	return r;
}

#endif
