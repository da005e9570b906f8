/* From a path to the file that is run, by descriptor.  In a child between fork and exec, with root's rights and nobody's trust: async-signal-safe throughout. */
#ifndef FCGIPM_BROKER_FIND_H
#define FCGIPM_BROKER_FIND_H

#include <stddef.h>
#include <sys/stat.h>

#include "include/fcgipm/refusal.h"

struct broker_way {
	const char *chroot; /* "" none; path is inside */
	const char *path; /* spec_path_ok() */
	size_t literal; /* bytes of it that the administrator wrote: links there are followed if they are root's (or our own) */
};

struct broker_found {
	int file; /* O_PATH, close-on-exec */
	struct stat st, directory; /* of the file, and of the directory that it is in */
};

/* FCGIPM_REFUSED_NOT, MISSING, LINK, UNREACHABLE, OUTSIDE or STEP (what else the kernel says; errno has it). */
enum fcgipm_refusal broker_find(const struct broker_way *way, struct broker_found *ret);

#endif
