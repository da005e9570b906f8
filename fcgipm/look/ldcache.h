/* /etc/ld.so.cache: which file stands for a library's name.  Pure: foreign bytes in memory, bounds first. */
#ifndef FCGIPM_LOOK_LDCACHE_H
#define FCGIPM_LOOK_LDCACHE_H

#include <stddef.h>
#include <stdint.h>

struct ldcache {
	const char *at; /* the newer format, to which the strings' offsets relate; NULL: there is none */
	size_t len;
	uint32_t count;
};

/* bytes stay the caller's and must outlive it.  0, or -EBADMSG: not of glibc's format, or of the other byte order. */
int ldcache_open(const void *bytes, size_t len, struct ldcache *ret);
/* The next file from *pos on (at first 0) that stands for name: of whatever machine, the file itself says so.  NULL: no more. */
const char *ldcache_next(const struct ldcache *c, const char *name, uint32_t *pos);

#endif
