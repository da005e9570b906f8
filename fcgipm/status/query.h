/* What a request for the status page wants, read from its method, path and query string.  Pure; the bytes are the network's. */
#ifndef FCGIPM_STATUS_QUERY_H
#define FCGIPM_STATUS_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgipm/base/text.h"
#include "fcgipm/view/view.h"

enum resource { RESOURCE_PAGE, RESOURCE_JSON, RESOURCE_METRICS, RESOURCE_STYLE, RESOURCE_SCRIPT, RESOURCE_UNKNOWN };

enum { QUERY_NAME_MAX = 256, REFRESH_MAX = 3600 };

struct query {
	enum resource resource;
	char pool[QUERY_NAME_MAX]; /* in detail; "": all */
	char filter[FILTER_MAX];
	const struct column *sort; /* NULL: by name */
	bool reverse, trouble;
	uint32_t page; /* from 1 */
	uint32_t refresh_s; /* 0: the page is not loaded again by itself */
};

/* path: of the URL; json or metrics as its last component say the same as format=json, format=openmetrics.  Keys and values that are not known are left out,
 * but for an unknown format. */
void query_parse(struct query *q, const char *path, const char *query_string);

/* "?sort=busy&filter=a%20b" of it, escaped for an attribute; "?" where nothing is asked for. */
void query_link(struct fp_doc *d, const struct query *q);

#endif
