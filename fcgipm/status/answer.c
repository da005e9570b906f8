/* Answers (status page). */
#include "fcgipm/status/answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fcgipm/client/openmetrics.h"
#include "fcgipm/client/render.h"
#include "fcgipm/status/assets.h"
#include "fcgipm/status/page.h"

#define OWN_ALONE "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

static const char *const types[] = {
	[RESOURCE_PAGE] = "text/html; charset=utf-8",         [RESOURCE_JSON] = "application/json",
	[RESOURCE_METRICS] = OPENMETRICS_CONTENT_TYPE,        [RESOURCE_STYLE] = "text/css; charset=utf-8",
	[RESOURCE_SCRIPT] = "text/javascript; charset=utf-8", [RESOURCE_UNKNOWN] = "text/html; charset=utf-8",
};

struct reply {
	const char *status;
	const char *more; /* fields, each with its end */
	struct fp_doc body;
};

static void put(struct fp_doc *d, const struct reply *r, const char *type, bool head_only)
{
	fp_doc_add(d,
		   "Status: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%sCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
		   "Referrer-Policy: no-referrer\r\nContent-Security-Policy: " OWN_ALONE "\r\n\r\n",
		   r->status, type, r->body.len, r->more);
	if (!head_only && r->body.len > 0)
		fp_doc_add(d, "%s", r->body.at);
}

/* ---- what there is no number for ---- */

static const char *remedy_of(int error)
{
	switch (error) {
	case -EACCES:
		return "Name the account of this pool in manager.control.observers of pools.yaml, and reload.";
	case -ENOENT:
	case -ECONNREFUSED:
		return "The manager is not there. Start fcgipm, or set FCGIPM_CONTROL in this pool's environment to the path of its control socket.";
	case -ECONNRESET:
		return "The manager closed the connection. It may just be starting anew; and it refuses uid 65534 (nobody), which is anybody: give this pool "
		       "an account of its "
		       "own.";
	case -ETIMEDOUT:
		return "The manager is there, but does not answer. Requests are served meanwhile; look into its log.";
	default:
		return "The manager could not be asked; look into its log.";
	}
}

static void say_problem(struct reply *r, const struct query *q, const char *what, const char *remedy)
{
	if (q->resource == RESOURCE_JSON) {
		fp_doc_add(&r->body, "{\"error\": \"");
		fp_doc_add_escaped(&r->body, what, strlen(what));
		fp_doc_add(&r->body, "\", \"remedy\": \"%s\"}\n", remedy);
	} else if (q->resource == RESOURCE_METRICS) {
		fp_doc_add(&r->body, "# EOF\n");
	} else {
		page_problem(&r->body, q, what, remedy);
	}
}

/* ---- resources ---- */

static const struct snapshot_pool *find(const struct snapshot *s, const char *name)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (strcmp(s->pools[i].figures.name, name) == 0)
			return &s->pools[i];
	return NULL;
}

/* The snapshot with that pool alone; it shares everything. */
static struct snapshot alone(const struct snapshot *s, const struct snapshot_pool *p)
{
	struct snapshot one = *s;

	if (p != NULL) {
		one.pools = s->pools + (p - s->pools);
		one.count = 1;
		one.profile_count = 0;
	}
	return one;
}

static void show_list(struct reply *r, struct view *v, const struct query *q)
{
	v->sort = q->sort;
	v->reverse = q->reverse;
	v->trouble = q->trouble;
	snprintf(v->filter, sizeof(v->filter), "%s", q->filter);
	view_arrange(v);
	page_list(&r->body, q, v);
}

static void show_numbers(struct reply *r, struct source *src, const struct query *q)
{
	struct fp_err err = {.code = 0};
	int error = source_read(src, &err);
	const struct snapshot *s = &src->view.now;
	const struct snapshot_pool *p;
	struct snapshot shown;

	if (error < 0) {
		r->status = "503 Service Unavailable";
		r->more = "Retry-After: 2\r\n";
		say_problem(r, q, err.text, remedy_of(error));
		return;
	}
	p = q->pool[0] != '\0' ? find(s, q->pool) : NULL;
	if (q->pool[0] != '\0' && p == NULL) {
		r->status = "404 Not Found";
		say_problem(r, q, "There is no pool of that name.", "It may have been removed from pools.yaml.");
		return;
	}
	shown = alone(s, p);
	if (q->resource == RESOURCE_JSON)
		render_json(&r->body, &shown);
	else if (q->resource == RESOURCE_METRICS)
		openmetrics_render(&r->body, &shown);
	else if (p != NULL)
		page_pool(&r->body, q, p);
	else
		show_list(r, &src->view, q);
}

static void show(struct reply *r, struct source *src, const struct query *q)
{
	switch (q->resource) {
	case RESOURCE_STYLE:
		fp_doc_add(&r->body, "%s", asset_style);
		break;
	case RESOURCE_SCRIPT:
		fp_doc_add(&r->body, "%s", asset_script);
		break;
	case RESOURCE_UNKNOWN:
		r->status = "404 Not Found";
		say_problem(r, q, "There is nothing of that format.", "format=json, format=openmetrics, or none for the page.");
		break;
	default:
		show_numbers(r, src, q);
	}
}

void status_answer(struct fp_doc *d, struct source *src, const struct status_request *request)
{
	bool head = strcmp(request->method, "HEAD") == 0;
	struct reply r = {.status = "200 OK", .more = ""};
	struct query q;

	query_parse(&q, request->path, request->query);
	if (!head && strcmp(request->method, "GET") != 0) {
		r.status = "405 Method Not Allowed";
		r.more = "Allow: GET, HEAD\r\n";
		say_problem(&r, &q, "This page is read only.", "GET and HEAD are what it knows; commands are fcgipm's, see fcgipm --help.");
	} else {
		show(&r, src, &q);
	}
	if (r.body.failed) {
		fp_doc_fini(&r.body);
		r = (struct reply){.status = "500 Internal Server Error", .more = ""};
	}
	put(d, &r, types[q.resource], head);
	fp_doc_fini(&r.body);
}
