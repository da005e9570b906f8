/* Migration: other managers' configurations as a pools.yaml.  What cannot be carried over is said twice, line by line: as a comment in the YAML
 * beside what it concerns, and as FILE:LINE: WHAT: WHY.  Only this header is for other layers. */
#ifndef FCGIPM_IMPORT_IMPORT_H
#define FCGIPM_IMPORT_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgipm/base/text.h"

/* What an import asks of the system; the tests have one of their own. */
struct import_system {
	/* 0 and malloc'd bytes, or -errno (-EFBIG: above IMPORT_FILE_MAX). */
	int (*read)(const char *path, char **ret, size_t *ret_len);
	/* Calls each for every file that matches, in order.  0, -ENOENT where none does, or -errno. */
	int (*match)(const char *pattern, void (*each)(void *context, const char *path), void *context);
	/* Calls each for the supplementary groups of a user, without the primary one. */
	void (*groups)(const char *user, void (*each)(void *context, const char *group), void *context);
	/* net.core.somaxconn */
	uint32_t (*most_backlog)(void);
};
extern const struct import_system import_system;

enum { IMPORT_FILE_MAX = 16 << 20, IMPORT_DEPTH_MAX = 5 };

/* What is to be read: files, or for spawn-fcgi its arguments. */
struct import_source {
	const char *const *words;
	size_t count;
	const char *php_cgi; /* the interpreter in place of php-fpm; NULL: what the file's version suggests */
};

struct import_result {
	struct fp_doc yaml, said;
	bool bad; /* a file could not be read, or not be understood */
};

/* One row a source.  Returns 0, or -ENOMEM; the result is the caller's to free, in both cases. */
struct import_kind {
	const char *name;
	int (*run)(const struct import_system *system, const struct import_source *source, struct import_result *ret);
};
extern const struct import_kind import_kinds[]; /* ends with name NULL */
void import_result_fini(struct import_result *r);

#endif
