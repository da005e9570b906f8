/* Which of a profile's roots admits a path.  Pure. */
#ifndef FCGIPM_BROKER_ROOTS_H
#define FCGIPM_BROKER_ROOTS_H

#include <stddef.h>

/* Compared component by component, so that /var/www never admits /var/www2; a pattern stands for one component (fnmatch(3), FNM_PERIOD).  path is spec_path_ok().
 * The root, or NULL; *ret_literal: so many bytes of path are those of the root's components in front of its first pattern. */
const char *broker_root_of(const char *const *roots, const char *path, size_t *ret_literal);

#endif
