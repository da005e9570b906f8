/* The columns of the pools' table (command line).  Pure; what the snapshot says is escaped here, before anything is cut or coloured. */
#include "fcgipm/view/columns.h"

#include <stdio.h>
#include <string.h>

#include "fcgipm/client/human.h"
#include "fcgipm/client/term.h"

const struct state_row states[] = {
	{"failed", TONE_BAD, true},    {"held", TONE_WARN, true},    {"at_max", TONE_WARN, true}, {"starting", TONE_WARN, true},
	{"removing", TONE_DIM, false}, {"stopped", TONE_DIM, false}, {"ready", TONE_GOOD, false}, {"sleeping", TONE_DIM, false},
};
_Static_assert(sizeof(states) / sizeof(states[0]) == STATE_COUNT, "a row a state");

size_t state_index(const char *name)
{
	size_t i = 0;

	while (i < STATE_COUNT && strcmp(states[i].name, name) != 0)
		i++;
	return i;
}

enum tone state_tone(const char *name)
{
	size_t i = state_index(name);

	return i < STATE_COUNT ? states[i].tone : TONE_PLAIN;
}

static void put(char buf[CELL_MAX], const char *text)
{
	struct fp_doc d = {.at = NULL};

	term_add(&d, text, false);
	snprintf(buf, CELL_MAX, "%s", d.at != NULL ? d.at : "");
	fp_doc_fini(&d);
}

/* ---- what a column sorts by ---- */

static int64_t by_trouble(const struct view_row *row)
{
	return STATE_COUNT - (int64_t)state_index(row->pool->figures.state);
}

#define NUMBER(member)                                                                                                                                         \
	static int64_t by_##member(const struct view_row *row)                                                                                                 \
	{                                                                                                                                                      \
		return row->pool->figures.member;                                                                                                              \
	}
NUMBER(idle)
NUMBER(busy)
NUMBER(booting)
NUMBER(max)
NUMBER(queue_depth)
NUMBER(served)
NUMBER(memory_bytes)

static int64_t by_rate(const struct view_row *row)
{
	return row->rate;
}

static int64_t by_share(const struct view_row *row)
{
	return row->share;
}

static int64_t by_restarts(const struct view_row *row)
{
	const struct wire_status_pool *f = &row->pool->figures;
	const int64_t kinds[] = {f->restarts_exit,     f->restarts_signal,   f->restarts_timeout,  f->restarts_boot,
				 f->restarts_lifetime, f->restarts_replaced, f->restarts_requests, f->restarts_template};
	int64_t sum = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i] < 0 || __builtin_add_overflow(sum, kinds[i], &sum))
			return WIRE_UNKNOWN;
	return sum;
}

/* ---- what a column shows ---- */

static void show_name(const struct column *c, const struct view_row *row, char buf[CELL_MAX])
{
	(void)c;
	put(buf, row->pool->figures.name);
}

static void show_state(const struct column *c, const struct view_row *row, char buf[CELL_MAX])
{
	(void)c;
	put(buf, row->pool->figures.state);
}

static void show_number(const struct column *c, const struct view_row *row, char buf[CELL_MAX])
{
	int64_t n = c->number(row);

	if (c->kind == COLUMN_BYTES)
		human_bytes(n, buf, CELL_MAX);
	else if (c->kind == COLUMN_RATE)
		human_rate(n, buf, CELL_MAX);
	else
		human_count(n, buf, CELL_MAX);
}

static void show_queue(const struct column *c, const struct view_row *row, char buf[CELL_MAX])
{
	char depth[32], limit[32];

	(void)c;
	snprintf(buf, CELL_MAX, "%s/%s", human_count(row->pool->figures.queue_depth, depth, sizeof(depth)),
		 human_count(row->pool->figures.queue_limit, limit, sizeof(limit)));
}

const struct column columns[] = {
	{"pool", 'N', "POOL", "the name", COLUMN_TEXT, 4, 0, false, NULL, show_name},
	{"state", 'S', "STATE", "the state; sorts by trouble, the worst first", COLUMN_TEXT, 8, 0, false, by_trouble, show_state},
	{"idle", 'I', "IDLE", "workers that wait for a request", COLUMN_COUNT, 4, 0, false, by_idle, show_number},
	{"busy", 'B', "BUSY", "workers that serve", COLUMN_COUNT, 4, 0, false, by_busy, show_number},
	{"booting", 'O', "BOOT", "workers that boot", COLUMN_COUNT, 4, 5, false, by_booting, show_number},
	{"max", 'A', "MAX", "workers that there may be", COLUMN_COUNT, 3, 3, false, by_max, show_number},
	{"queue", 'Q', "QUEUE", "connections that wait, of how many may", COLUMN_COUNT, 7, 0, false, by_queue_depth, show_queue},
	{"rate", 'R', "REQ/S", "requests a second", COLUMN_RATE, 5, 6, true, by_rate, show_number},
	{"share", 'U', "BUSY%", "share of the workers' time that was spent in serving", COLUMN_COUNT, 5, 1, true, by_share, show_number},
	{"served", 'V', "SERVED", "requests served", COLUMN_COUNT, 6, 2, false, by_served, show_number},
	{"restarts", 'X', "RESTARTS", "workers that were replaced, for whatever reason, and templates", COLUMN_COUNT, 8, 4, false, by_restarts, show_number},
	{"memory", 'M', "MEMORY", "resident memory of the workers", COLUMN_BYTES, 6, 7, false, by_memory_bytes, show_number},
};
const size_t column_count = sizeof(columns) / sizeof(columns[0]);

const struct column *column_by_key(const char *key)
{
	for (size_t i = 0; i < column_count; i++)
		if (strcmp(columns[i].key, key) == 0)
			return &columns[i];
	return NULL;
}

const struct column *column_by_letter(int letter)
{
	for (size_t i = 0; i < column_count; i++)
		if (columns[i].letter == letter)
			return &columns[i];
	return NULL;
}

/* ---- remarks ---- */

bool row_has_trouble(const struct view_row *row)
{
	size_t i = state_index(row->pool->figures.state);

	return row->pool->alarms.count > 0 || (i < STATE_COUNT && states[i].trouble);
}

static void add_texts(struct fp_doc *d, const struct snapshot_list *l)
{
	struct wire_rd r = l->rest;

	for (uint32_t i = 0; i < l->count; i++) {
		fp_doc_add(d, "%s", d->len > 0 ? "; " : "");
		term_add(d, wire_get_str(&r), false);
	}
}

void row_remark(const struct view_row *row, char buf[CELL_MAX])
{
	const struct wire_status_pool *f = &row->pool->figures;
	struct fp_doc d = {.at = NULL};

	add_texts(&d, &row->pool->alarms);
	if (f->last_error[0] != '\0' && (strcmp(f->state, "failed") == 0 || strcmp(f->state, "starting") == 0)) {
		fp_doc_add(&d, "%s", d.len > 0 ? "; " : "");
		term_add(&d, f->last_error, false);
	}
	add_texts(&d, &row->pool->notes);
	snprintf(buf, CELL_MAX, "%s", d.at != NULL ? d.at : "");
	fp_doc_fini(&d);
}
