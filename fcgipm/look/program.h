/* What the command runs: the file, the interpreter that its first bytes name, that one's, down to an ELF program. */
#ifndef FCGIPM_LOOK_PROGRAM_H
#define FCGIPM_LOOK_PROGRAM_H

#include "fcgipm/look/view.h"

enum { PROGRAM_NAMES_MAX = 12, PROGRAM_NAME_MAX = 128 };

struct program {
	char path[WORLD_PATH_MAX]; /* the ELF file that runs in the end; "" there is none to be seen */
	struct world *world; /* where it is: the pool's root, or the real one when it has been reported missing there */
	char names[PROGRAM_NAMES_MAX][PROGRAM_NAME_MAX]; /* the base names on the way, links resolved too */
	unsigned name_count;
};

/* Reports what keeps the command from being executed.  deep: also what is missing behind the first fault, what "env" runs, and another machine's files. */
void program_look(struct view *v, bool deep, struct program *ret);

#endif
