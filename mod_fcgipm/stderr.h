/* What an application writes to its standard error, in httpd's error log: whole lines, with pool and request, as many as are good for the log (runs in httpd). */
#ifndef MOD_FCGIPM_STDERR_H
#define MOD_FCGIPM_STDERR_H

#include <httpd.h>
#include <stddef.h>

struct lease;

enum { STDERR_LINE_MAX = 1024 };

struct stderr_lines {
	size_t len;
	char line[STDERR_LINE_MAX];
};

void stderr_take(struct stderr_lines *s, request_rec *r, struct lease *lease, const char *bytes, size_t len);
/* The request ends: what is left is a line. */
void stderr_end(struct stderr_lines *s, request_rec *r, struct lease *lease);

#endif
