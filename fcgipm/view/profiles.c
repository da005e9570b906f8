/* The table of the exec broker's profiles (command line and status page).  Pure; a name comes escaped to a terminal. */
#include "fcgipm/view/profiles.h"

#include <stdio.h>
#include <string.h>

#include "fcgipm/client/human.h"
#include "fcgipm/client/term.h"

enum { NAME_WIDTH = 7, CELL_WIDTH = 7, HEAD_LINES = 2 };

#define AT(member) offsetof(struct wire_status_profile, member)

const struct profile_column profile_columns[] = {
	{"RUNNING", "programs that run, of how many may", AT(running), AT(max_running), false},
	{"QUEUE", "requests that wait for their turn, of how many may", AT(queue_depth), AT(queue_limit), false},
	{"STARTED", "programs that were started", AT(started), AT(started), false},
	{"FAILED", "programs that ended by themselves with a status other than 0, or by a signal", AT(failed), AT(failed), false},
	{"TIMEOUT", "programs that were ended because they took too long", AT(timeouts), AT(timeouts), false},
	{"BUSY", "requests that were turned away because too many waited", AT(busy), AT(busy), false},
	{"REFUSED", "requests that were refused for another reason", AT(refused), AT(refused), false},
	{"CPU", "processor time of the programs that have ended", AT(cpu_ms), AT(cpu_ms), true},
};
const size_t profile_column_count = sizeof(profile_columns) / sizeof(profile_columns[0]);

static int64_t number_of(const struct wire_status_profile *p, size_t at)
{
	return *(const int64_t *)(const void *)((const char *)p + at);
}

void profile_cell(const struct profile_column *c, const struct wire_status_profile *p, char buf[CELL_MAX])
{
	int64_t n = number_of(p, c->number);
	char number[32], most[32];

	if (c->is_time)
		human_ms(n, buf, CELL_MAX);
	else if (c->most == c->number)
		human_count(n, buf, CELL_MAX);
	else
		snprintf(buf, CELL_MAX, "%s/%s", human_count(n, number, sizeof(number)), human_count(number_of(p, c->most), most, sizeof(most)));
}

static size_t name_width(const struct snapshot *s)
{
	size_t width = NAME_WIDTH;

	for (uint32_t i = 0; i < s->profile_count; i++)
		width = strlen(s->profiles[i].name) > width ? strlen(s->profiles[i].name) : width;
	return width;
}

static void line(struct fp_doc *d, const struct wire_status_profile *p, size_t width)
{
	char cell[CELL_MAX];
	size_t before = d->len;

	term_add(d, p->name, false);
	for (size_t has = d->len - before; has < width; has++)
		fp_doc_add(d, " ");
	for (size_t i = 0; i < profile_column_count; i++) {
		profile_cell(&profile_columns[i], p, cell);
		fp_doc_add(d, "  %*s", CELL_WIDTH, cell);
	}
	fp_doc_add(d, "\n");
}

size_t profiles_lines(const struct snapshot *s)
{
	return s->profile_count > 0 ? HEAD_LINES + s->profile_count : 0;
}

void profiles_render(struct fp_doc *d, const struct snapshot *s, bool colour)
{
	size_t width = name_width(s);

	if (s->profile_count == 0)
		return;
	fp_doc_add(d, "\n%s%-*s", colour ? "\x1b[1m" : "", (int)width, "PROFILE");
	for (size_t i = 0; i < profile_column_count; i++)
		fp_doc_add(d, "  %*s", CELL_WIDTH, profile_columns[i].heading);
	fp_doc_add(d, "%s\n", colour ? "\x1b[0m" : "");
	for (uint32_t i = 0; i < s->profile_count; i++)
		line(d, &s->profiles[i], width);
}
