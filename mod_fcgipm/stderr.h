/* What an application writes to its standard error, in httpd's error log: whole lines, with pool (or profile) and request, as many as are good for the log (runs in httpd). */
#ifndef MOD_FCGIPM_STDERR_H
#define MOD_FCGIPM_STDERR_H

#include <httpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STDERR_LINE_MAX = 1024 };

/* Whose lines they are, and how many of them one child has logged of late; all its requests share it. */
struct stderr_source {
	const char *kind, *name; /* "pool", "blog" */
	bool in_script_log; /* ScriptLog gets them too */
	int64_t at_ms; /* since when it is counted */
	uint32_t lines, dropped;
};

struct stderr_lines {
	size_t len;
	char line[STDERR_LINE_MAX];
};

void stderr_take(struct stderr_lines *s, request_rec *r, struct stderr_source *from, const char *bytes, size_t len);
/* The request ends: what is left is a line. */
void stderr_end(struct stderr_lines *s, request_rec *r, struct stderr_source *from);

#endif
