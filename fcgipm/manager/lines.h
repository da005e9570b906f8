/* Splits a stream of bytes into lines of bounded length.  Pure. */
#ifndef FCGIPM_MANAGER_LINES_H
#define FCGIPM_MANAGER_LINES_H

#include <stddef.h>

enum { LINES_MAX = 4096 };

struct lines {
	char *part; /* the beginning of a line whose end has not come, LINES_MAX bytes; NULL: there is none */
	size_t len;
};

/* Without its newline, and without a carriage return before it; longer ones come in pieces of LINES_MAX. */
typedef void lines_each(void *ctx, const char *line, size_t len);

void lines_feed(struct lines *l, const char *bytes, size_t len, lines_each *each, void *ctx);
/* The stream has ended: what is left is a line. */
void lines_end(struct lines *l, lines_each *each, void *ctx);

#endif
