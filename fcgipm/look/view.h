/* What one look sees: the pool's root, and the real one, from which a remedy may come. */
#ifndef FCGIPM_LOOK_VIEW_H
#define FCGIPM_LOOK_VIEW_H

#include "fcgipm/look/report.h"
#include "fcgipm/look/world.h"
#include "fcgipm/spec/spec.h"

struct view {
	const struct spec_pool *pool;
	bool jailed;
	struct world world; /* the pool's root */
	struct world host; /* "/" */
	struct look_report *report;
	char remedy[2048]; /* remedy.c's answer */
};

/* " in the chroot", or "". */
static inline const char *view_where(const struct view *v)
{
	return v->jailed ? " in the chroot" : "";
}

/* The key under which belongs what the root lacks, not the command. */
static inline const char *view_key(const struct view *v)
{
	return v->jailed ? "chroot" : "command";
}

#endif
