/* Sees one pool's world with the account's own rights, resolved below its chroot without entering it. */
#ifndef FCGIPM_LOOK_LOOK_H
#define FCGIPM_LOOK_LOOK_H

#include "fcgipm/base/text.h"
#include "fcgipm/spec/spec.h"

enum { LOOK_WARNING = '~' };

/* Adds a line "KEY\tTEXT" for everything that keeps the pool from running, "~KEY\tTEXT" for what may surprise.  Returns the number of the former. */
unsigned look_at_pool(const struct spec_pool *p, struct fp_text *findings);

#endif
