/* What the first bytes of an executable say of who runs it.  Pure: foreign bytes in, bounded text out. */
#ifndef FCGIPM_LOOK_MAGIC_H
#define FCGIPM_LOOK_MAGIC_H

#include "fcgipm/look/bytes.h"

enum { MAGIC_LINE_MAX = 256 }; /* what the kernel reads (BINPRM_BUF_SIZE) */
enum magic_kind { MAGIC_OTHER, MAGIC_SCRIPT, MAGIC_ELF };

/* Of a "#!" line: the path, and the one argument that the kernel makes of the rest ("" none). */
struct magic {
	enum magic_kind kind;
	char interpreter[MAGIC_LINE_MAX], argument[MAGIC_LINE_MAX];
};

/* 0; -ENOEXEC: a "#!" line without a path, or with one that does not end within what the kernel reads. */
int magic_look(const struct bytes *f, struct magic *ret);

/* The program that "env ARGUMENT" runs, of a "#!" line: "perl", of "-S perl -w" or "-S A=b perl" too.  0, or -ENOENT: it names none. */
int magic_env_program(const char *argument, char *ret, size_t cap);

#endif
