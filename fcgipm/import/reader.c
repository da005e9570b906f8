/* Files, and those that they include (command line). */
#include "fcgipm/import/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 65536, DIRECTIVES_MAX = 1 << 19, BYTES_MAX = 256 << 20 };

/* Files that include all of their directory would multiply. */
static bool is_too_much(struct reader *r)
{
	if (r->full || (r->files <= FILES_MAX && r->directives <= DIRECTIVES_MAX && r->bytes <= BYTES_MAX))
		return r->full;
	draft_bad(r->draft, "more than %d files, %d lines or %d bytes: what follows is not read", FILES_MAX, DIRECTIVES_MAX, BYTES_MAX);
	r->full = true;
	return true;
}

bool reader_count(struct reader *r)
{
	r->directives++;
	return !is_too_much(r);
}

void reader_file(struct reader *r, const char *path)
{
	char *bytes = NULL;
	size_t len = 0;
	int n;

	if (r->full)
		return;
	r->draft->at = (struct draft_at){.file = keep_text(&r->draft->keep, path, strlen(path)), .what = ""};
	n = r->system->read(path, &bytes, &len);
	r->files++;
	r->bytes += len;
	if (n < 0)
		draft_bad(r->draft, "%s", strerror(-n));
	else if (!is_too_much(r))
		r->take(r->owner, bytes, len);
	free(bytes);
}

static void one_included(void *context, const char *path)
{
	reader_file(context, path);
}

void reader_include(struct reader *r, const char *pattern)
{
	struct draft_at at = r->draft->at;
	int n;

	if (r->full)
		return;
	if (r->depth + 1 >= IMPORT_DEPTH_MAX) {
		draft_bad(r->draft, "files include each other more than %d deep", IMPORT_DEPTH_MAX);
		return;
	}
	r->depth++;
	n = r->system->match(pattern, one_included, r);
	r->depth--;
	r->draft->at = at;
	if (n == -ENOENT)
		draft_note(r->draft, NULL, "no file matches");
	else if (n < 0)
		draft_bad(r->draft, "%s", strerror(-n));
}
