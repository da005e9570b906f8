/* Queries (status page). */
#include "fcgipm/status/query.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static int hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* application/x-www-form-urlencoded; a byte NUL ends the value, what is too long is cut. */
static void decode(const char *at, size_t len, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < cap; i++) {
		char c = at[i];

		if (c == '%' && i + 2 < len && hex(at[i + 1]) >= 0 && hex(at[i + 2]) >= 0) {
			c = (char)(hex(at[i + 1]) * 16 + hex(at[i + 2]));
			i += 2;
		} else if (c == '+') {
			c = ' ';
		}
		if (c == '\0')
			break;
		out[n++] = c;
	}
	out[n] = '\0';
}

static uint32_t number(const char *value, uint32_t max)
{
	unsigned long n = isdigit((unsigned char)*value) ? strtoul(value, NULL, 10) : 0;

	return n > max ? max : (uint32_t)n;
}

static void set_format(struct query *q, const char *v)
{
	static const struct {
		const char *name;
		enum resource resource;
	} formats[] = {{"html", RESOURCE_PAGE},          {"json", RESOURCE_JSON},   {"openmetrics", RESOURCE_METRICS},
		       {"prometheus", RESOURCE_METRICS}, {"style", RESOURCE_STYLE}, {"script", RESOURCE_SCRIPT}};

	q->resource = RESOURCE_UNKNOWN;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(v, formats[i].name) == 0)
			q->resource = formats[i].resource;
}

static void set_pool(struct query *q, const char *v)
{
	snprintf(q->pool, sizeof(q->pool), "%s", v);
}

static void set_filter(struct query *q, const char *v)
{
	snprintf(q->filter, sizeof(q->filter), "%s", v);
}

static void set_sort(struct query *q, const char *v)
{
	q->sort = column_by_key(v);
}

static void set_reverse(struct query *q, const char *v)
{
	q->reverse = *v != '\0' && strcmp(v, "0") != 0;
}

static void set_trouble(struct query *q, const char *v)
{
	q->trouble = *v != '\0' && strcmp(v, "0") != 0;
}

static void set_page(struct query *q, const char *v)
{
	uint32_t n = number(v, UINT32_MAX);

	q->page = n > 0 ? n : 1;
}

static void set_refresh(struct query *q, const char *v)
{
	q->refresh_s = number(v, REFRESH_MAX);
}

/* X(key in the URL) */
#define KEYS(X) X(format) X(pool) X(filter) X(sort) X(reverse) X(trouble) X(page) X(refresh)

static void set(struct query *q, const char *key, const char *value)
{
#define KEY(name)                                                                                                                                              \
	if (strcmp(key, #name) == 0)                                                                                                                           \
		set_##name(q, value);
	KEYS(KEY)
}

static void parse_pair(struct query *q, const char *at, size_t len)
{
	const char *is = memchr(at, '=', len);
	size_t key_len = is != NULL ? (size_t)(is - at) : len;
	char key[16], value[FILTER_MAX];

	decode(at, key_len, key, sizeof(key));
	decode(is != NULL ? is + 1 : "", is != NULL ? len - key_len - 1 : 0, value, sizeof(value));
	set(q, key, value);
}

static void parse_path(struct query *q, const char *path)
{
	size_t len = strcspn(path, "?");
	const char *end = path + len, *last = end;

	while (last > path && last[-1] != '/')
		last--;
	if ((size_t)(end - last) == strlen("json") && memcmp(last, "json", strlen("json")) == 0)
		q->resource = RESOURCE_JSON;
	else if ((size_t)(end - last) == strlen("metrics") && memcmp(last, "metrics", strlen("metrics")) == 0)
		q->resource = RESOURCE_METRICS;
}

void query_parse(struct query *q, const char *path, const char *s)
{
	*q = (struct query){.resource = RESOURCE_PAGE, .page = 1};
	parse_path(q, path);
	while (*s != '\0') {
		size_t len = strcspn(s, "&;");

		parse_pair(q, s, len);
		s += len;
		s += *s != '\0';
	}
}

/* ---- writing ---- */

/* Every byte that has a meaning in a URL or in HTML, so nothing is left to be escaped for either. */
static void add_encoded(struct fp_doc *d, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (isalnum(c) || strchr("-._~", c) != NULL)
			fp_doc_add(d, "%c", c);
		else
			fp_doc_add(d, "%%%02X", c);
	}
}

static void add_key(struct fp_doc *d, bool *first, const char *key, const char *value)
{
	if (*value == '\0')
		return;
	fp_doc_add(d, "%s%s=", *first ? "" : "&amp;", key);
	add_encoded(d, value);
	*first = false;
}

static void add_number(struct fp_doc *d, bool *first, const char *key, uint32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	add_key(d, first, key, value > 0 ? text : "");
}

void query_link(struct fp_doc *d, const struct query *q)
{
	bool first = true;

	fp_doc_add(d, "?");
	add_key(d, &first, "format", q->resource == RESOURCE_JSON ? "json" : q->resource == RESOURCE_METRICS ? "openmetrics" : "");
	add_key(d, &first, "pool", q->pool);
	add_key(d, &first, "filter", q->filter);
	add_key(d, &first, "sort", q->sort != NULL ? q->sort->key : "");
	add_number(d, &first, "reverse", q->reverse);
	add_number(d, &first, "trouble", q->trouble);
	add_number(d, &first, "page", q->page > 1 ? q->page : 0);
	add_number(d, &first, "refresh", q->refresh_s);
}
