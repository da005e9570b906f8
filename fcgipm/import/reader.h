/* Files, and those that they include, each in turn: bounded in depth, number and bytes. */
#ifndef FCGIPM_IMPORT_READER_H
#define FCGIPM_IMPORT_READER_H

#include "fcgipm/import/draft.h"

struct reader {
	const struct import_system *system;
	struct draft *draft; /* its at.file is the file that is read */
	void (*take)(void *owner, const char *bytes, size_t len);
	void *owner;
	unsigned depth;
	uint32_t files, directives;
	uint64_t bytes;
	bool full; /* too much of them: that was said, and nothing more is read */
};

/* What cannot be read has been said. */
void reader_file(struct reader *r, const char *path);
/* Every file that matches; where none does, that is a note. */
void reader_include(struct reader *r, const char *pattern);

/* Of each line that is kept.  false: there are too many. */
bool reader_count(struct reader *r);

#endif
