/* The lines of an httpd configuration: directives, sections, words.  Pure. */
#ifndef FCGIPM_IMPORT_HTTPD_H
#define FCGIPM_IMPORT_HTTPD_H

#include <stdbool.h>

#include "fcgipm/import/keep.h"

enum { HTTPD_WORDS_MAX = 64, HTTPD_LINE_MAX = 65536 };

struct httpd_file {
	const char *at, *end;
	unsigned next; /* the number of the line that is read next */
	char line[HTTPD_LINE_MAX + 1]; /* that is read now */
};

enum httpd_kind { HTTPD_END, HTTPD_NOTHING, HTTPD_DIRECTIVE, HTTPD_OPEN, HTTPD_CLOSE, HTTPD_WRONG };

struct httpd_line {
	enum httpd_kind kind;
	unsigned line; /* where it begins */
	const char *name; /* of the directive or section; of HTTPD_WRONG what is wrong */
	const char *rest; /* as it is written */
};

/* The next line, with those that a backslash joins to it.  Its texts are in f: they live until the next one is read. */
struct httpd_line httpd_read(struct httpd_file *f);
/* Words as httpd takes them apart, without their quotes.  How many; -1: more than most, or a quote that does not end. */
int httpd_words(struct keep *k, const char *text, const char **words, unsigned most);

#endif
