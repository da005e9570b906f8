/* The configuration being loaded: what load.c (conf and its messages), looks.c and apply.c (what becomes of the spec) share. */
#ifndef FCGIPM_LAUNCHER_LOAD_STATE_H
#define FCGIPM_LAUNCHER_LOAD_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgipm/base/text.h"
#include "fcgipm/launcher/child.h"
#include "fcgipm/launcher/findings.h"
#include "fcgipm/launcher/load.h"
#include "fcgipm/launcher/loop.h"
#include "fcgipm/launcher/outbox.h"
#include "fcgipm/spec/spec.h"

enum { LOOKS_AT_ONCE = 4 };

struct load {
	struct launcher *launcher;
	enum load_kind kind;
	int dir_fd; /* the configuration's directory, for includes */
	struct child conf;
	struct loop_source sock; /* to conf; fd -1 once it has answered */
	struct outbox files; /* what conf asked for and its socket does not hold yet */
	bool conf_running;
	int conf_status; /* as waitpid(2) has it, once it has ended */
	bool judged; /* conf has answered */
	bool failed; /* text says why; nothing of it is applied */
	bool applied;
	bool looks_wait; /* at the start: until the manager has bound what there is */
	uint32_t errors, warnings;
	struct fp_doc text; /* errors and warnings, one a line */
	struct fp_doc dump; /* what was asked for */
	struct findings findings; /* of floors and looks; at the end they join the text */
	const void *map;
	size_t map_len;
	struct spec_file spec; /* points into map */
	bool have_spec;
	uint32_t next_look, looks_running; /* index of the next pool to look at */
	bool *wanted; /* by pool of spec: it is new or differs */
};

/* Adds an error line and marks the load failed; ends conf. */
void load_fail(struct load *ld, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* When nothing of it runs any more: says how it ended (apply_end) and frees it.  The last call of an event's handler, and of nothing else. */
void load_free_if_done(struct load *ld);

/* conf has judged: floors, looks, and then the spec's way into the table of pools. */
void apply_judged(struct load *ld);
/* Looks at the pools that are wanted, some at a time (looks.c); after the last one, apply_looked. */
void looks_go_on(struct load *ld);
void looks_add_finding(struct load *ld, const struct spec_entry *e, enum spec_origin at, const char *text);
/* All looks are back: a reload that is clean takes effect. */
void apply_looked(struct load *ld);
/* All is done, or it failed: prints, answers the manager, starts it. */
void apply_end(struct load *ld);

#endif
