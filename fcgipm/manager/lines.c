/* Lines out of what workers write (manager process).  Memory is held only while a line is incomplete. */
#include "fcgipm/manager/lines.h"

#include <stdlib.h>
#include <string.h>

static void emit(const char *line, size_t len, lines_each *each, void *ctx)
{
	if (len > 0 && line[len - 1] == '\r')
		len--;
	each(ctx, line, len);
}

static void flush(struct lines *l, lines_each *each, void *ctx)
{
	emit(l->part, l->len, each, ctx);
	free(l->part);
	l->part = NULL;
	l->len = 0;
}

/* Keeps as much as fits; without memory the beginning of the line is lost, the rest is not.  Returns what was taken. */
static size_t keep(struct lines *l, const char *bytes, size_t len)
{
	size_t room = LINES_MAX - l->len;

	if (l->part == NULL)
		l->part = malloc(LINES_MAX);
	if (l->part == NULL)
		return len;
	if (len > room)
		len = room;
	memcpy(l->part + l->len, bytes, len);
	l->len += len;
	return len;
}

void lines_feed(struct lines *l, const char *bytes, size_t len, lines_each *each, void *ctx)
{
	while (len > 0) {
		const char *end = memchr(bytes, '\n', len);
		size_t line = end != NULL ? (size_t)(end - bytes) : len, taken = line;

		if (l->part == NULL && end != NULL && line <= LINES_MAX) {
			emit(bytes, line, each, ctx);
		} else {
			taken = keep(l, bytes, line);
			if (l->part != NULL && (taken < line || end != NULL))
				flush(l, each, ctx);
		}
		bytes += taken;
		len -= taken;
		if (taken == line && end != NULL) {
			bytes++;
			len--;
		}
	}
}

void lines_end(struct lines *l, lines_each *each, void *ctx)
{
	if (l->part != NULL)
		flush(l, each, ctx);
}
