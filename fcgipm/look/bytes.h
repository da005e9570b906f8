/* A file as a parser sees it: bytes at an offset, and nothing of where they come from. */
#ifndef FCGIPM_LOOK_BYTES_H
#define FCGIPM_LOOK_BYTES_H

#include <stddef.h>
#include <sys/types.h>

/* Reads at most len bytes at offset into buf.  Bytes read, or -errno. */
typedef ssize_t bytes_read_at(void *ctx, void *buf, size_t len, off_t offset);
struct bytes {
	bytes_read_at *read_at;
	void *ctx;
};

#endif
