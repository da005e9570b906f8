/* The capabilities of the launcher: each with the step that needs it and the reason (priv/caps.c holds the table, docs/threats.md shows it,
 * a test compares table, docs and the running process). */
#ifndef FCGIPM_PRIV_CAPS_H
#define FCGIPM_PRIV_CAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgipm/base/err.h"

struct priv_cap_row {
	int cap; /* CAP_... of linux/capability.h */
	const char *name; /* "CAP_SETUID" */
	const char *step; /* what it is used for: "spawn: setresuid to the pool's account" */
	const char *without; /* what cannot be done without it, for the report at start */
	bool feature; /* named at start when it is kept; false: part of the core */
};
extern const struct priv_cap_row priv_caps[];
extern const size_t priv_cap_count;

/* Drops everything but the table's rows and extra (bit set, sandbox.capabilities of the pools) from permitted, effective, inheritable and the
 * bounding set.  *ret_missing: rows of the table that the system withholds (bit set of caps), to be reported, not fatal. */
int priv_caps_keep(uint64_t extra, uint64_t *ret_missing, struct fp_err *err);
/* What is in the permitted set, and in the bounding set. */
uint64_t priv_caps_permitted(void);
uint64_t priv_caps_bounding(void);
/* True when the capability is in the effective set. */
bool priv_caps_have(int cap);

#endif
