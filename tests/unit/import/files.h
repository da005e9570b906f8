/* A system of a few files in memory, for the tests of the import and its fuzz target. */
#ifndef TESTS_UNIT_IMPORT_FILES_H
#define TESTS_UNIT_IMPORT_FILES_H

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/import/import.h"

struct memory_file {
	const char *path, *bytes;
	size_t len;
};
enum { MEMORY_FILES_MAX = 8 };
static struct memory_file memory_files[MEMORY_FILES_MAX];

static void memory_put(size_t i, const char *path, const char *bytes, size_t len)
{
	memory_files[i] = (struct memory_file){path, bytes, len};
}

static int memory_read(const char *path, char **ret, size_t *ret_len)
{
	for (size_t i = 0; i < MEMORY_FILES_MAX; i++) {
		const struct memory_file *f = &memory_files[i];

		if (f->path == NULL || strcmp(f->path, path) != 0)
			continue;
		/* Exactly so many bytes: a sanitizer sees a read past them. */
		*ret = malloc(f->len > 0 ? f->len : 1);
		if (*ret == NULL)
			return -ENOMEM;
		memcpy(*ret, f->bytes, f->len);
		*ret_len = f->len;
		return 0;
	}
	return -ENOENT;
}

static int memory_match(const char *pattern, void (*each)(void *context, const char *path), void *context)
{
	int r = -ENOENT;

	for (size_t i = 0; i < MEMORY_FILES_MAX; i++) {
		if (memory_files[i].path == NULL || fnmatch(pattern, memory_files[i].path, FNM_PATHNAME) != 0)
			continue;
		r = 0;
		each(context, memory_files[i].path);
	}
	return r;
}

static void memory_groups(const char *user, void (*each)(void *context, const char *group), void *context)
{
	if (strcmp(user, "alice") == 0)
		each(context, "mail");
}

static uint32_t memory_backlog(void)
{
	return 4096;
}

static const struct import_system memory_system = {.read = memory_read, .match = memory_match, .groups = memory_groups, .most_backlog = memory_backlog};

/* What the kind of that name makes of the words. */
static int memory_import(const char *kind, const char *const *words, size_t count, struct import_result *ret)
{
	const struct import_source source = {.words = words, .count = count};
	const struct import_kind *k = import_kinds;

	while (strcmp(k->name, kind) != 0)
		k++;
	*ret = (struct import_result){.bad = false};
	return k->run(&memory_system, &source, ret);
}

#endif
