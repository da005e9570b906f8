/* A snapshot for people and for machines, by the rows of client/figures.h (runs in a frontend or in the command line).
 * Nothing that the manager or a worker wrote reaches a terminal or a JSON text unescaped. */
#include "fcgipm/client/render.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fcgipm/client/figures.h"
#include "fcgipm/client/human.h"
#include "fcgipm/client/term.h"

enum { CELL_MAX = 32, LABEL_WIDTH = 20, NUMBER_WIDTH = 12 };

static void json_text(struct fp_doc *d, const char *text)
{
	fp_doc_add(d, "\"");
	fp_doc_add_escaped(d, text, strlen(text));
	fp_doc_add(d, "\"");
}

static void json_list(struct fp_doc *d, const struct figure *f, const struct snapshot_list *l)
{
	struct wire_rd r = l->rest;

	fp_doc_add(d, "[");
	for (uint32_t i = 0; i < l->count; i++) {
		if (i > 0)
			fp_doc_add(d, ", ");
		if (f->type == FIGURE_PIDS)
			fp_doc_add(d, "%" PRId32, wire_get_i32(&r));
		else
			json_text(d, wire_get_str(&r));
	}
	fp_doc_add(d, "]");
}

static void json_value(struct fp_doc *d, const struct figure *f, const void *base)
{
	const struct snapshot_list *list = figure_list(f, base);
	const char *text = figure_text(f, base);
	int64_t number;

	if (list != NULL)
		json_list(d, f, list);
	else if (text != NULL)
		json_text(d, text);
	else if (figure_number(f, base, &number))
		fp_doc_add(d, "%" PRId64, number);
	else
		fp_doc_add(d, "null");
}

/* The length of the name of the object that a row is in; 0: it is in none. */
static size_t group_len(const struct figure *f)
{
	const char *dot = strchr(f->path, '.');

	return dot != NULL ? (size_t)(dot - f->path) : 0;
}

/* Leaves the object of the row before, enters that of this one, writes the key. */
static void json_key(struct fp_doc *d, const struct figure *before, const struct figure *f)
{
	size_t had = before != NULL ? group_len(before) : 0, has = group_len(f);
	bool same = before != NULL && had == has && memcmp(before->path, f->path, has) == 0;

	if (had > 0 && !same)
		fp_doc_add(d, "}");
	if (before != NULL)
		fp_doc_add(d, ", ");
	if (has > 0 && !same)
		fp_doc_add(d, "\"%.*s\": {", (int)has, f->path);
	fp_doc_add(d, "\"%s\": ", has > 0 ? f->path + has + 1 : f->path);
}

static void json_object(struct fp_doc *d, const struct figure *rows, size_t count, const void *base)
{
	fp_doc_add(d, "{");
	for (size_t i = 0; i < count; i++) {
		json_key(d, i > 0 ? &rows[i - 1] : NULL, &rows[i]);
		json_value(d, &rows[i], base);
	}
	fp_doc_add(d, "%s}", group_len(&rows[count - 1]) > 0 ? "}" : "");
}

void render_json(struct fp_doc *d, const struct snapshot *s)
{
	fp_doc_add(d, "{\"manager\": ");
	json_object(d, figures_manager, figures_manager_count, &s->manager);
	fp_doc_add(d, ",\n\"pools\": [");
	for (uint32_t i = 0; i < s->count; i++) {
		fp_doc_add(d, "%s", i > 0 ? ",\n" : "\n");
		json_object(d, figures_pool, figures_pool_count, &s->pools[i]);
	}
	fp_doc_add(d, "],\n\"exec\": [");
	for (uint32_t i = 0; i < s->profile_count; i++) {
		fp_doc_add(d, "%s", i > 0 ? ",\n" : "\n");
		json_object(d, figures_profile, figures_profile_count, &s->profiles[i]);
	}
	fp_doc_add(d, "]}\n");
}

const char *render_age(int64_t ms, char *buf, size_t cap)
{
	static const struct {
		int64_t ms;
		const char *name;
	} units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}};
	size_t i = 0, last = sizeof(units) / sizeof(units[0]) - 1;

	while (i < last && ms < units[i].ms)
		i++;
	if (i == last)
		snprintf(buf, cap, "%" PRId64 "s", ms / 1000);
	else
		snprintf(buf, cap, "%" PRId64 "%s %" PRId64 "%s", ms / units[i].ms, units[i].name, ms % units[i].ms / units[i + 1].ms, units[i + 1].name);
	return buf;
}

void render_manager(struct fp_doc *d, const struct wire_status_manager *m)
{
	char age[64];

	fp_doc_add(d, "fcgipm ");
	term_add(d, m->version, false);
	fp_doc_add(d, ", up %s, launcher %" PRId32 ", manager %" PRId32 ", configuration %" PRIu32 ", %" PRIu32 " of %" PRIu32 " workers\n",
		   render_age(m->uptime_ms, age, sizeof(age)), m->launcher_pid, m->pid, m->generation, m->workers, m->max_workers);
}

static void detail_list(struct fp_doc *d, const struct figure *f, const struct snapshot_list *l)
{
	struct wire_rd r = l->rest;

	for (uint32_t i = 0; i < l->count; i++) {
		if (f->type == FIGURE_PIDS) {
			fp_doc_add(d, "%s%" PRId32, i > 0 ? " " : "", wire_get_i32(&r));
			continue;
		}
		fp_doc_add(d, "\n    ");
		term_add(d, wire_get_str(&r), false);
	}
	fp_doc_add(d, "%s\n", l->count == 0 ? "-" : "");
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), has = strlen(end);

	return len >= has && strcmp(text + len - has, end) == 0;
}

/* A number in the unit that its name says. */
static const char *measure(const struct figure *f, const void *base, char buf[CELL_MAX])
{
	int64_t number;

	if (!figure_number(f, base, &number))
		return "-";
	if (ends_with(f->path, "_ms"))
		return human_ms(number, buf, CELL_MAX);
	if (ends_with(f->path, "_bytes"))
		return human_bytes(number, buf, CELL_MAX);
	snprintf(buf, CELL_MAX, "%" PRId64, number);
	return buf;
}

static void detail_line(struct fp_doc *d, const struct figure *f, const void *base)
{
	const struct snapshot_list *list = figure_list(f, base);
	char buf[CELL_MAX];

	fp_doc_add(d, "  %-*s ", LABEL_WIDTH, f->path);
	if (list != NULL) {
		detail_list(d, f, list);
	} else if (figure_text(f, base) != NULL) {
		term_add(d, figure_text(f, base), false);
		fp_doc_add(d, "\n");
	} else {
		fp_doc_add(d, "%-*s %s\n", NUMBER_WIDTH, measure(f, base, buf), f->help);
	}
}

static bool is_number(const struct figure *f)
{
	return f->type != FIGURE_TEXT && f->type != FIGURE_TEXTS && f->type != FIGURE_PIDS;
}

/* What is said about it, then what is counted. */
void render_detail_pool(struct fp_doc *d, const struct snapshot_pool *p)
{
	for (int numbers = 0; numbers < 2; numbers++)
		for (size_t row = 0; row < figures_pool_count; row++)
			if (is_number(&figures_pool[row]) == (numbers > 0))
				detail_line(d, &figures_pool[row], p);
}

void render_detail(struct fp_doc *d, const struct snapshot *s)
{
	render_manager(d, &s->manager);
	for (uint32_t i = 0; i < s->count; i++) {
		fp_doc_add(d, "\n");
		render_detail_pool(d, &s->pools[i]);
	}
}
