/* From a path to the file that is run, by descriptor.  In fcgipm-start, with root's rights and nobody's trust. */
#ifndef FCGIPM_BROKER_FIND_H
#define FCGIPM_BROKER_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "include/fcgipm/refusal.h"

struct broker_way {
	const char *chroot; /* "" none; path is inside */
	const char *path; /* spec_path_ok() */
	size_t literal; /* bytes of it that the administrator wrote: links there are followed if they are root's (or our own) */
};

enum { BROKER_DEPTH_MAX = 64 };

/* A directory on the way. */
struct broker_place {
	uint32_t uid, gid, mode;
};

struct broker_found {
	int file, dir; /* O_PATH, close-on-exec: the program, and the directory that it is in */
	struct stat st; /* of the file */
	unsigned depth; /* directories on the way, from the root on; the last one is the file's */
	struct broker_place way[BROKER_DEPTH_MAX];
	bool foreign; /* the file is on a file system in user space */
};

/* FCGIPM_REFUSED_NOT, MISSING, LINK, UNREACHABLE, OUTSIDE, PATH or STEP (what else the kernel says; errno has it): then *ret is of no use, and nothing in it is open. */
enum fcgipm_refusal broker_find(const struct broker_way *way, struct broker_found *ret);

#endif
