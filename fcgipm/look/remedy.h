/* What an administrator can do about a finding, as a command for root's shell where one will do.  The answers stand in v->remedy until the next call: "" or
 * " (...)". */
#ifndef FCGIPM_LOOK_REMEDY_H
#define FCGIPM_LOOK_REMEDY_H

#include "fcgipm/look/view.h"

/* A file that the real root has at from is to stand at path in the chroot; mode as install(1) has it, NULL: 755.  package: what has it; NULL: not known. */
const char *remedy_file(struct view *v, const char *from, const char *path, const char *mode, const char *package);
/* Whole trees, as patterns with blanks between them, to stand where the real root has them. */
const char *remedy_trees(struct view *v, const char *patterns, const char *package);
/* A device's node. */
const char *remedy_device(struct view *v, const char *path, unsigned major, unsigned minor);
/* No device works below the root: its file system is mounted nodev. */
bool remedy_nodev(const struct view *v);
/* A program: also where the path was written as it is seen from outside. */
const char *remedy_program(struct view *v, const char *path);
/* What the account may not use: the first directory on the way that it may not enter, or the file itself, which then needs mode ("a+r"). */
const char *remedy_access(struct view *v, const char *path, const char *mode);
/* What every account may change. */
const char *remedy_open(struct view *v, const char *path);
/* What asks /proc/self/exe. */
const char *remedy_proc(struct view *v);
/* Anything else, below the chroot's path: COMMAND PATH. */
const char *remedy_command(struct view *v, const char *command, const char *path);

#endif
