/* Pages for people (status page).  Pure; what the snapshot says goes through html_text(), what the request says through that or query_link(). */
#include "fcgipm/status/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fcgipm/client/figures.h"
#include "fcgipm/client/human.h"
#include "fcgipm/status/html.h"
#include "fcgipm/view/profiles.h"

/* ---- the frame ---- */

static const char *const tones[TONE_COUNT] = {[TONE_PLAIN] = "plain", [TONE_GOOD] = "good", [TONE_DIM] = "dim", [TONE_WARN] = "warn", [TONE_BAD] = "bad"};

static void begin(struct fp_doc *d, const struct query *q, const char *title)
{
	fp_doc_add(d, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n");
	if (q->refresh_s > 0)
		fp_doc_add(d, "<meta http-equiv=\"refresh\" content=\"%" PRIu32 "\">\n", q->refresh_s);
	fp_doc_add(d, "<title>");
	html_text(d, title);
	fp_doc_add(d, "</title>\n<link rel=\"stylesheet\" href=\"?format=style\">\n<script src=\"?format=script\" defer></script>\n</head>\n<body>\n");
}

static void link_to(struct fp_doc *d, const struct query *q, const char *text)
{
	fp_doc_add(d, "<a href=\"");
	query_link(d, q);
	fp_doc_add(d, "\">");
	html_text(d, text);
	fp_doc_add(d, "</a>");
}

/* Without a script the page can be loaded again by itself; with one it is live anyhow, and page.js takes the place of the links. */
static void end(struct fp_doc *d, const struct query *q)
{
	struct query json = *q, metrics = *q, calm = *q, lively = *q;

	json.resource = RESOURCE_JSON;
	metrics.resource = RESOURCE_METRICS;
	calm.refresh_s = 0;
	lively.refresh_s = 5;
	fp_doc_add(d, "<footer>\n<p id=\"live\" role=\"status\">");
	if (q->refresh_s > 0)
		link_to(d, &calm, "Do not load it again");
	else
		link_to(d, &lively, "Load it again every 5 seconds");
	fp_doc_add(d, "</p>\n<p>");
	link_to(d, &json, "JSON");
	fp_doc_add(d, " &middot; ");
	link_to(d, &metrics, "OpenMetrics");
	fp_doc_add(d, "</p>\n</footer>\n</body>\n</html>\n");
}

/* ---- above the table ---- */

static void card(struct fp_doc *d, const char *label, const char *value, const char *more)
{
	fp_doc_add(d, "<div><dt>%s</dt><dd>", label);
	html_text(d, value);
	if (*more != '\0') {
		fp_doc_add(d, " <small>");
		html_text(d, more);
		fp_doc_add(d, "</small>");
	}
	fp_doc_add(d, "</dd></div>\n");
}

static void cards(struct fp_doc *d, const struct view *v, const struct view_totals *t)
{
	const struct wire_status_manager *m = &v->now.manager;
	char value[64], more[64];

	fp_doc_add(d, "<dl class=\"cards\">\n");
	snprintf(value, sizeof(value), "%" PRIu32, v->now.count);
	card(d, "Pools", value, "");
	snprintf(value, sizeof(value), "%" PRIu32, m->workers);
	snprintf(more, sizeof(more), "of %" PRIu32, m->max_workers);
	card(d, "Workers", value, more);
	card(d, "Waiting", human_count(t->queued, value, sizeof(value)), "");
	card(d, "Requests/s", human_rate(t->rate, value, sizeof(value)), "");
	card(d, "Memory", human_bytes(t->memory_bytes, value, sizeof(value)), "");
	card(d, "Up", human_ms(m->uptime_ms, value, sizeof(value)), "");
	fp_doc_add(d, "</dl>\n");
}

/* "2 failed, 998 ready", each a link to these alone. */
static void summary(struct fp_doc *d, const struct query *q, const struct view_totals *t)
{
	bool any = false;

	fp_doc_add(d, "<p class=\"summary\">");
	for (size_t i = 0; i < STATE_COUNT; i++) {
		struct query only = *q;
		char text[64];

		if (t->in_state[i] == 0)
			continue;
		snprintf(only.filter, sizeof(only.filter), "%s", states[i].name);
		only.page = 1;
		snprintf(text, sizeof(text), "%" PRIu32 " %s", t->in_state[i], states[i].name);
		fp_doc_add(d, "%s<span class=\"%s\">", any ? ", " : "", tones[states[i].tone]);
		link_to(d, &only, text);
		fp_doc_add(d, "</span>");
		any = true;
	}
	fp_doc_add(d, "</p>\n");
}

static void hidden(struct fp_doc *d, const char *name, const char *value)
{
	if (*value != '\0')
		fp_doc_add(d, "<input type=\"hidden\" name=\"%s\" value=\"%s\">\n", name, value);
}

static void form(struct fp_doc *d, const struct query *q)
{
	struct query all = *q;
	char refresh[16] = "";

	if (q->refresh_s > 0)
		snprintf(refresh, sizeof(refresh), "%" PRIu32, q->refresh_s);
	fp_doc_add(d, "<form method=\"get\" role=\"search\">\n<label>Pools <input type=\"search\" name=\"filter\" placeholder=\"part of a name, or a state\" "
		      "value=\"");
	html_text(d, q->filter);
	fp_doc_add(d, "\"></label>\n<label><input type=\"checkbox\" name=\"trouble\" value=\"1\"%s> in trouble only</label>\n", q->trouble ? " checked" : "");
	hidden(d, "sort", q->sort != NULL ? q->sort->key : "");
	hidden(d, "reverse", q->reverse ? "1" : "");
	hidden(d, "refresh", refresh);
	fp_doc_add(d, "<button>Show</button>\n");
	all.filter[0] = '\0';
	all.trouble = false;
	all.page = 1;
	if (q->filter[0] != '\0' || q->trouble)
		link_to(d, &all, "all");
	fp_doc_add(d, "</form>\n");
}

/* ---- the table ---- */

static void heading(struct fp_doc *d, const struct query *q, const struct column *c)
{
	bool sorted = q->sort == c || (q->sort == NULL && c == columns), rises = (c->kind == COLUMN_TEXT && c->number == NULL) != q->reverse;
	struct query by = *q;

	by.sort = c == columns ? NULL : c;
	by.reverse = sorted && !q->reverse;
	by.page = 1;
	fp_doc_add(d, "<th scope=\"col\"%s%s title=\"", c->kind == COLUMN_TEXT ? "" : " class=\"number\"",
		   !sorted ? ""
		   : rises ? " aria-sort=\"ascending\""
			   : " aria-sort=\"descending\"");
	html_text(d, c->help);
	fp_doc_add(d, "\">");
	link_to(d, &by, c->heading);
	fp_doc_add(d, "</th>");
}

/* How much of workers.max is busy, idle and booting; the numbers stand beside it. */
static void bar(struct fp_doc *d, const struct wire_status_pool *f)
{
	const struct {
		const char *name;
		int64_t count;
	} parts[] = {{"busy", f->busy}, {"booting", f->booting}, {"idle", f->idle}};
	int64_t at = 0, max = f->max > f->total ? f->max : f->total;

	fp_doc_add(d, "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
	for (size_t i = 0; max > 0 && i < sizeof(parts) / sizeof(parts[0]); i++) {
		int64_t count = parts[i].count > 0 ? parts[i].count : 0, width = count > max ? 1000 : count * 1000 / max;

		if (width > 0)
			fp_doc_add(d, "<rect class=\"%s\" x=\"%" PRId64 "\" width=\"%" PRId64 "\" height=\"10\"/>", parts[i].name, at, width);
		at += width;
	}
	fp_doc_add(d, "</svg>");
}

static void cell(struct fp_doc *d, const struct query *q, const struct column *c, const struct view_row *row)
{
	char text[CELL_MAX];

	c->cell(c, row, text);
	if (c == columns) {
		struct query one = *q; /* so that the way back leads to the list as it was */

		snprintf(one.pool, sizeof(one.pool), "%s", row->pool->figures.name);
		fp_doc_add(d, "<th scope=\"row\">");
		link_to(d, &one, text);
		bar(d, &row->pool->figures);
		fp_doc_add(d, "</th>");
	} else if (c->kind == COLUMN_TEXT) {
		fp_doc_add(d, "<td><span class=\"state %s\">", tones[state_tone(row->pool->figures.state)]);
		html_text(d, text);
		fp_doc_add(d, "</span></td>");
	} else {
		fp_doc_add(d, "<td class=\"number\" data-label=\"%s\">", c->heading);
		html_text(d, text);
		fp_doc_add(d, "</td>");
	}
}

static void row(struct fp_doc *d, const struct query *q, const struct view_row *r)
{
	char remark[CELL_MAX];

	fp_doc_add(d, "<tr>");
	for (size_t i = 0; i < column_count; i++)
		cell(d, q, &columns[i], r);
	row_remark(r, remark);
	fp_doc_add(d, "<td class=\"remark\">");
	html_text(d, remark);
	fp_doc_add(d, "</td></tr>\n");
}

static void pages(struct fp_doc *d, const struct query *q, uint32_t count, uint32_t page, uint32_t last)
{
	struct query other = *q;

	if (last <= 1)
		return;
	fp_doc_add(d, "<nav aria-label=\"pages\">");
	other.page = page - 1;
	if (page > 1)
		link_to(d, &other, "back");
	fp_doc_add(d, " page %" PRIu32 " of %" PRIu32 ", %" PRIu32 " pools ", page, last, count);
	other.page = page + 1;
	if (page < last)
		link_to(d, &other, "on");
	fp_doc_add(d, "</nav>\n");
}

static void table(struct fp_doc *d, const struct query *q, const struct view *v)
{
	uint32_t last = (v->count + PAGE_ROWS - 1) / PAGE_ROWS, page = q->page < last ? q->page : last, first;

	if (v->count == 0) {
		fp_doc_add(d, "<p class=\"nothing\">%s</p>\n", v->now.count == 0 ? "There are no pools." : "No pool is as you ask.");
		return;
	}
	first = (page - 1) * PAGE_ROWS;
	fp_doc_add(d, "<div class=\"scroll\"><table>\n<caption>Pools, as they are now</caption>\n<thead><tr>");
	for (size_t i = 0; i < column_count; i++)
		heading(d, q, &columns[i]);
	fp_doc_add(d, "<th scope=\"col\">REMARKS</th></tr></thead>\n<tbody>\n");
	for (uint32_t i = first; i < v->count && i < first + PAGE_ROWS; i++)
		row(d, q, &v->rows[i]);
	fp_doc_add(d, "</tbody>\n</table></div>\n");
	pages(d, q, v->count, page, last);
}

static void profile(struct fp_doc *d, const struct wire_status_profile *p)
{
	char text[CELL_MAX];

	fp_doc_add(d, "<tr><th scope=\"row\">");
	html_text(d, p->name);
	fp_doc_add(d, "</th>");
	for (size_t i = 0; i < profile_column_count; i++) {
		profile_cell(&profile_columns[i], p, text);
		fp_doc_add(d, "<td class=\"number\" data-label=\"%s\">%s</td>", profile_columns[i].heading, text);
	}
	fp_doc_add(d, "</tr>\n");
}

static void profiles(struct fp_doc *d, const struct snapshot *s)
{
	if (s->profile_count == 0)
		return;
	fp_doc_add(d, "<h2>Programs</h2>\n<div class=\"scroll\"><table>\n<caption>Profiles of the exec broker, as they are now</caption>\n<thead><tr><th "
		      "scope=\"col\">PROFILE</th>");
	for (size_t i = 0; i < profile_column_count; i++)
		fp_doc_add(d, "<th scope=\"col\" class=\"number\" title=\"%s\">%s</th>", profile_columns[i].help, profile_columns[i].heading);
	fp_doc_add(d, "</tr></thead>\n<tbody>\n");
	for (uint32_t i = 0; i < s->profile_count; i++)
		profile(d, &s->profiles[i]);
	fp_doc_add(d, "</tbody>\n</table></div>\n");
}

void page_list(struct fp_doc *d, const struct query *q, const struct view *v)
{
	struct view_totals t = view_totals(v);

	begin(d, q, "fcgipm");
	fp_doc_add(d, "<header><h1>fcgipm</h1></header>\n");
	form(d, q);
	fp_doc_add(d, "<main>\n");
	cards(d, v, &t);
	summary(d, q, &t);
	table(d, q, v);
	profiles(d, &v->now);
	fp_doc_add(d, "<p class=\"fine\">fcgipm ");
	html_text(d, v->now.manager.version);
	fp_doc_add(d, ", configuration %" PRIu32 ", launcher %" PRId32 ", manager %" PRId32 "</p>\n</main>\n", v->now.manager.generation,
		   v->now.manager.launcher_pid, v->now.manager.pid);
	end(d, q);
}

/* ---- one pool ---- */

static void show_list(struct fp_doc *d, const struct figure *f, const struct snapshot_list *l)
{
	struct wire_rd r = l->rest;

	fp_doc_add(d, l->count > 0 ? "<ul>" : "&ndash;");
	for (uint32_t i = 0; i < l->count; i++) {
		fp_doc_add(d, "<li>");
		if (f->type == FIGURE_PIDS)
			fp_doc_add(d, "%" PRId32, wire_get_i32(&r));
		else
			html_text(d, wire_get_str(&r));
		fp_doc_add(d, "</li>");
	}
	fp_doc_add(d, l->count > 0 ? "</ul>" : "");
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static void show_number(struct fp_doc *d, const char *path, int64_t n)
{
	char text[64];

	fp_doc_add(d, "%" PRId64, n);
	if (ends_with(path, "_ms") && n >= 1000)
		fp_doc_add(d, " <small>%s</small>", human_ms(n, text, sizeof(text)));
	if (ends_with(path, "_bytes") && n >= 1024)
		fp_doc_add(d, " <small>%s</small>", human_bytes(n, text, sizeof(text)));
}

static void figure(struct fp_doc *d, const struct figure *f, const struct snapshot_pool *p)
{
	const struct snapshot_list *list = figure_list(f, p);
	const char *text = figure_text(f, p);
	int64_t n;

	fp_doc_add(d, "<tr><th scope=\"row\">%s</th><td>", f->path);
	if (list != NULL)
		show_list(d, f, list);
	else if (text != NULL)
		html_text(d, text);
	else if (figure_number(f, p, &n))
		show_number(d, f->path, n);
	else
		fp_doc_add(d, "&ndash;");
	fp_doc_add(d, "</td><td class=\"help\">");
	html_text(d, f->help);
	fp_doc_add(d, "</td></tr>\n");
}

void page_pool(struct fp_doc *d, const struct query *q, const struct snapshot_pool *p)
{
	struct query all = *q;

	all.pool[0] = '\0';
	begin(d, q, q->pool);
	fp_doc_add(d, "<header><h1>");
	html_text(d, q->pool);
	fp_doc_add(d, "</h1> ");
	link_to(d, &all, "all pools");
	fp_doc_add(d, "</header>\n<main>\n<p><span class=\"state %s\">", tones[state_tone(p->figures.state)]);
	html_text(d, p->figures.state);
	fp_doc_add(d, "</span></p>\n");
	bar(d, &p->figures);
	fp_doc_add(d, "<div class=\"scroll\"><table class=\"detail\">\n<caption>Everything about it</caption>\n<tbody>\n");
	for (size_t i = 0; i < figures_pool_count; i++)
		figure(d, &figures_pool[i], p);
	fp_doc_add(d, "</tbody>\n</table></div>\n</main>\n");
	end(d, q);
}

void page_problem(struct fp_doc *d, const struct query *q, const char *what, const char *remedy)
{
	begin(d, q, "fcgipm");
	fp_doc_add(d, "<header><h1>fcgipm</h1></header>\n<main>\n<p class=\"problem\"><strong>");
	html_text(d, what);
	fp_doc_add(d, "</strong></p>\n<p>");
	html_text(d, remedy);
	fp_doc_add(d, "</p>\n</main>\n");
	end(d, q);
}
