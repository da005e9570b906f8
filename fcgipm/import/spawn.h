/* The command line of spawn-fcgi.  For this folder alone. */
#ifndef FCGIPM_IMPORT_SPAWN_H
#define FCGIPM_IMPORT_SPAWN_H

#include "fcgipm/import/draft.h"

/* words: the options, the command and its arguments, without spawn-fcgi itself. */
void spawn_carry(struct draft *d, const struct import_system *system, const char *const *words, size_t count);

#endif
