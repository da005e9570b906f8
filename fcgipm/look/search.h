/* Where the dynamic linker looks for a library: glibc's ld.so(8) and musl's, told apart by the program interpreter's name, in one root. */
#ifndef FCGIPM_LOOK_SEARCH_H
#define FCGIPM_LOOK_SEARCH_H

#include "fcgipm/look/elf.h"
#include "fcgipm/look/ldcache.h"
#include "fcgipm/look/world.h"
#include "fcgipm/spec/spec.h"

enum { SEARCH_DIRS_MAX = 8 };

/* Something loaded: the program, a library, a module; what the search needs of it. */
struct object {
	const struct object *loader; /* what needs it; NULL for the program */
	const char *rpath, *runpath; /* NULL: none */
	const char *origin; /* what $ORIGIN is for it; NULL: nobody knows */
	uint8_t class;
	uint16_t machine;
};

struct search {
	struct world *world;
	const char *directory; /* the pool's, from which relative paths start */
	const char *library_path; /* LD_LIBRARY_PATH; NULL */
	bool musl;
	char *cache_bytes; /* of cache */
	struct ldcache cache;
	char *path_file; /* musl: what /etc/ld-musl-ARCH.path says; NULL */
	const char *defaults[SEARCH_DIRS_MAX]; /* built into the linker, NULL-terminated */
};

/* interpreter: the program interpreter's path in w, which is read for the directories that it was built with.
 * 0, or -EBADMSG, -EFBIG, -ENOTSUP: there is an ld.so.cache that cannot be used; the rest is ready even so. */
int search_init(struct search *s, struct world *w, const struct spec_pool *p, const char *interpreter, uint16_t machine);
void search_fini(struct search *s);

/* What became of the search. */
struct search_result {
	char path[WORLD_PATH_MAX]; /* where it is, or the first that was there and would not do */
	/* 0; -ENOENT: nowhere; -EACCES: not for this account; -ENOEXEC: no ELF file; -ENOTSUP: no regular file; -EXDEV: for another machine alone; -EPERM: on a
	 * file system mounted noexec */
	int error;
	bool by_cache; /* ld.so.cache named it */
	bool origin_unknown; /* a directory with $ORIGIN had to be left out */
};
/* name: as needed by by. */
void search_library(const struct search *s, const struct object *by, const char *name, struct search_result *ret);

#endif
