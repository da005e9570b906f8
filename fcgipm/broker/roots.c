/* Roots of a profile (launcher process). */
#include "fcgipm/broker/roots.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

struct part {
	const char *at;
	size_t len;
};

/* The component at *at, which goes on behind it; len 0: there is none. */
static struct part next_part(const char **at)
{
	struct part p;

	*at += strspn(*at, "/");
	p = (struct part){.at = *at, .len = strcspn(*at, "/")};
	*at += p.len;
	return p;
}

static bool is_pattern(struct part p)
{
	for (size_t i = 0; i < p.len; i++)
		if (strchr("*?[", p.at[i]) != NULL)
			return true;
	return false;
}

static bool matches(struct part pattern, struct part name)
{
	char a[NAME_MAX + 1], b[NAME_MAX + 1];

	if (!is_pattern(pattern))
		return pattern.len == name.len && memcmp(pattern.at, name.at, name.len) == 0;
	if (pattern.len > NAME_MAX || name.len > NAME_MAX)
		return false;
	memcpy(a, pattern.at, pattern.len);
	memcpy(b, name.at, name.len);
	a[pattern.len] = b[name.len] = '\0';
	return fnmatch(a, b, FNM_PERIOD | FNM_NOESCAPE) == 0;
}

static bool admits(const char *root, const char *path, size_t *ret_literal)
{
	const char *in_root = root, *in_path = path;
	bool literal = true;
	struct part r;

	*ret_literal = 0;
	while ((r = next_part(&in_root)).len > 0) {
		struct part p = next_part(&in_path);

		if (p.len == 0 || !matches(r, p))
			return false;
		literal = literal && !is_pattern(r);
		if (literal)
			*ret_literal = (size_t)(in_path - path);
	}
	return true;
}

const char *broker_root_of(const char *const *roots, const char *path, size_t *ret_literal)
{
	size_t literal;

	for (; *roots != NULL; roots++) {
		if (!admits(*roots, path, &literal))
			continue;
		*ret_literal = literal;
		return *roots;
	}
	return NULL;
}
