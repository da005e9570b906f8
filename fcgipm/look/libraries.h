/* The shared libraries of a program, and of what it loads later, down to the last: what is not there is found and reported. */
#ifndef FCGIPM_LOOK_LIBRARIES_H
#define FCGIPM_LOOK_LIBRARIES_H

#include "fcgipm/look/search.h"
#include "fcgipm/look/view.h"

enum { LIBRARIES_MAX = 512 };

struct library;
struct libraries {
	struct view *view;
	struct search search, host_search; /* the second one for remedies, in a chroot */
	bool ready; /* there is a program that is linked dynamically */
	struct library *list; /* the program first */
	unsigned count, done; /* done: whose needs have been looked for */
};

/* The program at path, in world (the pool's or, when it has been reported missing there, the host's).  Errors of the pool. */
void libraries_of_program(struct libraries *l, struct view *v, struct world *world, const char *path);
/* What the program loads when it runs, if it is there: what that lacks is a warning.  After libraries_of_program. */
void libraries_of_module(struct libraries *l, const char *path);
void libraries_fini(struct libraries *l);

/* The program's strings, or those of a library of it, hold one of these words (elf_mentions); what only provides them for others is not asked. */
bool libraries_mention(struct libraries *l, const char *const *words);
/* A library whose name matches a pattern (fnmatch(3)). */
bool libraries_include(const struct libraries *l, const char *pattern);
/* The C library holds this version's symbols ("GLIBC_2.34"). */
bool libraries_c_version(struct libraries *l, const char *version);
bool libraries_are_musl(const struct libraries *l);
/* What the program loads by name: false when it would not find it; else as libraries_of_module. */
bool libraries_load(struct libraries *l, const char *name);
/* It would find it in the real root, if that is another one. */
bool libraries_on_host(struct libraries *l, const char *name);
/* The remedy for a library that is missing: as remedy_file. */
const char *libraries_remedy(struct libraries *l, const char *name);

#endif
