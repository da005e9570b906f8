/* Any bytes as a query string: read, made a link of, shown on a page.  Nothing of it becomes markup. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/status/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned tags(const struct fp_doc *d)
{
	unsigned n = 0;

	for (size_t i = 0; i < d->len; i++)
		n += d->at[i] == '<';
	return n;
}

static unsigned tags_of(const struct query *q)
{
	struct fp_doc d = {.at = NULL};
	unsigned n;

	page_problem(&d, q, q->filter, q->pool);
	n = tags(&d);
	fp_doc_fini(&d);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct query q, empty = {.page = 1}, again;
	struct fp_doc link = {.at = NULL};

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	query_parse(&q, text, text);
	query_link(&link, &q);
	if (strpbrk(link.at, "<>\"' \n") != NULL)
		abort();
	empty.refresh_s = q.refresh_s;
	if (tags_of(&q) != tags_of(&empty))
		abort();
	query_parse(&again, "", link.at + 1);
	if (strcmp(again.filter, q.filter) != 0 && strstr(link.at, "&amp;") == NULL)
		abort();
	fp_doc_fini(&link);
	free(text);
	return 0;
}
