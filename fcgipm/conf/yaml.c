/* YAML (libyaml's events) to a tree (conf process).  It must answer any bytes within bounds of depth, nodes and size: aliases are refused, since
 * they can multiply, and so are tags and second documents, since nothing here would read them. */
#include "fcgipm/conf/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "fcgipm/conf/syntax.h"

struct parsing {
	struct conf_yaml *y;
	yaml_parser_t parser;
	const char *bytes;
	bool failed;
	struct conf_node *open[CONF_DEPTH_MAX]; /* the collections that we are in */
	struct conf_node *last[CONF_DEPTH_MAX]; /* their newest children */
	struct conf_node *key[CONF_DEPTH_MAX]; /* of a mapping: read, and waiting for its value */
	unsigned depth;
	struct conf_node *root;
};

static struct spec_place place_of(const struct parsing *p, yaml_mark_t mark)
{
	return (struct spec_place){p->y->file, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

static struct conf_node *fail(struct parsing *p, yaml_mark_t mark, const char *text)
{
	if (!p->failed)
		conf_error(p->y->report, place_of(p, mark), "%s", text);
	p->failed = true;
	return NULL;
}

/* Where libyaml's reader stopped: it counts bytes only. */
static yaml_mark_t mark_of_offset(const struct parsing *p, size_t offset)
{
	yaml_mark_t m = {.index = offset};

	for (size_t i = 0; i < offset; i++) {
		m.column = p->bytes[i] == '\n' ? 0 : m.column + ((p->bytes[i] & 0xc0) != 0x80);
		m.line += p->bytes[i] == '\n';
	}
	return m;
}

static const char *say_reader_error(const struct parsing *p)
{
	const yaml_parser_t *l = &p->parser;

	if (l->problem == NULL || strstr(l->problem, "control") == NULL)
		return "not valid UTF-8 (save the file as UTF-8)";
	if (p->bytes[l->problem_offset] == '\0')
		return "a NUL byte (save the file as text, in UTF-8)";
	return "a control character (only tab and line feed may be in the file as they are)";
}

static void fail_as_libyaml(struct parsing *p)
{
	const yaml_parser_t *l = &p->parser;
	char text[256];
	struct fp_text t = FP_TEXT(text);

	if (l->error == YAML_MEMORY_ERROR) {
		fail(p, l->mark, "out of memory");
	} else if (l->error == YAML_READER_ERROR) {
		fail(p, mark_of_offset(p, l->problem_offset), say_reader_error(p));
	} else {
		conf_syntax_say(&(struct conf_syntax){.problem = l->problem != NULL ? l->problem : "not YAML",
						      .context = l->context,
						      .line = l->context_mark.line + 1,
						      .byte = l->buffer.pointer < l->buffer.last ? *l->buffer.pointer : 0},
				&t);
		fail(p, l->problem_mark, text);
	}
}

static struct conf_node *node_new(struct parsing *p, enum conf_shape shape, yaml_mark_t mark)
{
	struct conf_node *n;

	if (p->y->nodes++ >= CONF_NODES_MAX)
		return fail(p, mark, "too many values (1048576 at most)");
	n = fp_arena_alloc(p->y->arena, sizeof(*n));
	if (n == NULL)
		return fail(p, mark, "out of memory");
	n->shape = shape;
	n->place = place_of(p, mark);
	return n;
}

/* The new node becomes the root, a list's next item, a mapping's key or the value of the key that waits. */
static void attach(struct parsing *p, struct conf_node *n, yaml_mark_t mark)
{
	unsigned top = p->depth - 1;

	if (p->depth == 0) {
		p->root = n;
		return;
	}
	if (p->open[top]->shape == CONF_MAP) {
		if (p->key[top] == NULL) {
			p->key[top] = n;
			if (n->shape != CONF_SCALAR)
				fail(p, mark, "a key must be one word (not a list or mapping)");
			return;
		}
		n->key = p->key[top]->text;
		n->key_place = p->key[top]->place;
		p->key[top] = NULL;
	}
	if (p->last[top] == NULL)
		p->open[top]->first = n;
	else
		p->last[top]->next = n;
	p->last[top] = n;
}

static void on_scalar(struct parsing *p, const yaml_event_t *e)
{
	const char *bytes = (const char *)e->data.scalar.value;
	struct conf_node *n;

	if (strlen(bytes) != e->data.scalar.length) {
		fail(p, e->start_mark, "a NUL in a text (no value may hold one)");
		return;
	}
	n = node_new(p, CONF_SCALAR, e->start_mark);
	if (n == NULL)
		return;
	n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	n->text = fp_arena_copy(p->y->arena, bytes, e->data.scalar.length);
	if (n->text == NULL)
		fail(p, e->start_mark, "out of memory");
	else
		attach(p, n, e->start_mark);
}

static void on_start(struct parsing *p, enum conf_shape shape, const yaml_event_t *e)
{
	struct conf_node *n;

	if (p->depth == CONF_DEPTH_MAX) {
		fail(p, e->start_mark, "nested too deep (32 levels at most)");
		return;
	}
	n = node_new(p, shape, e->start_mark);
	if (n == NULL)
		return;
	attach(p, n, e->start_mark);
	p->open[p->depth] = n;
	p->last[p->depth] = NULL;
	p->key[p->depth] = NULL;
	p->depth++;
}

static int by_key(const void *va, const void *vb)
{
	const struct conf_node *const *a = va, *const *b = vb;
	int order = strcmp((*a)->key, (*b)->key);

	if (order != 0)
		return order;
	if ((*a)->key_place.line != (*b)->key_place.line)
		return (*a)->key_place.line < (*b)->key_place.line ? -1 : 1;
	return (*a)->key_place.column < (*b)->key_place.column ? -1 : 1;
}

/* "pools.blog." of a mapping that has just ended. */
static void add_path(struct fp_text *t, const struct parsing *p)
{
	for (unsigned i = 1; i <= p->depth; i++)
		if (p->open[i]->key != NULL)
			fp_text_add(t, "%.64s.", p->open[i]->key);
}

static void given_twice(const struct parsing *p, const struct conf_node *n, const struct conf_node *first)
{
	char path[512] = "";
	struct fp_text t = FP_TEXT(path);

	add_path(&t, p);
	conf_error(p->y->report, n->key_place, "%s%.64s: given twice (first in line %u; keep one)", path, n->key, first->key_place.line);
}

/* Keys that are there twice: sorted, neighbours are equal.  What comes later is left out of the tree. */
static void find_twice(struct parsing *p, struct conf_node *map, struct conf_node **sorted, size_t count)
{
	size_t first = 0;

	qsort(sorted, count, sizeof(struct conf_node *), by_key);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(sorted[i]->key, sorted[first]->key) != 0) {
			first = i;
			continue;
		}
		given_twice(p, sorted[i], sorted[first]);
		sorted[i]->key = NULL;
	}
	for (struct conf_node **n = &map->first; *n != NULL;) {
		if ((*n)->key == NULL)
			*n = (*n)->next;
		else
			n = &(*n)->next;
	}
}

static void on_map_end(struct parsing *p, struct conf_node *map, yaml_mark_t mark)
{
	struct conf_node **sorted;
	size_t count = 0;

	for (struct conf_node *n = map->first; n != NULL; n = n->next)
		count++;
	if (count < 2)
		return;
	sorted = calloc(count, sizeof(struct conf_node *));
	if (sorted == NULL) {
		fail(p, mark, "out of memory");
		return;
	}
	count = 0;
	for (struct conf_node *n = map->first; n != NULL; n = n->next)
		sorted[count++] = n;
	find_twice(p, map, sorted, count);
	free(sorted);
}

/* An error that hides no other: what it stands at is read on. */
static void refuse_tag(struct parsing *p, const yaml_event_t *e, const yaml_char_t *tag)
{
	if (tag != NULL)
		conf_error(p->y->report, place_of(p, e->start_mark), "tags are not read (leave out what begins with \"!\")");
}

static void on_event(struct parsing *p, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		refuse_tag(p, e, e->data.scalar.tag);
		on_scalar(p, e);
		break;
	case YAML_SEQUENCE_START_EVENT:
		refuse_tag(p, e, e->data.sequence_start.tag);
		on_start(p, CONF_LIST, e);
		break;
	case YAML_MAPPING_START_EVENT:
		refuse_tag(p, e, e->data.mapping_start.tag);
		on_start(p, CONF_MAP, e);
		break;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		p->depth--;
		if (e->type == YAML_MAPPING_END_EVENT)
			on_map_end(p, p->open[p->depth], e->start_mark);
		break;
	case YAML_ALIAS_EVENT:
		fail(p, e->start_mark, "aliases are not read (write it out, or use defaults)");
		break;
	case YAML_DOCUMENT_START_EVENT:
		if (p->root != NULL)
			fail(p, e->start_mark, "a second document (one file is one document)");
		break;
	default:
		break;
	}
}

static void parse(struct parsing *p)
{
	bool end = false;

	while (!end && !p->failed) {
		yaml_event_t e;

		if (yaml_parser_parse(&p->parser, &e) == 0) {
			fail_as_libyaml(p);
			return;
		}
		on_event(p, &e);
		end = e.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
}

/* libyaml compares each %TAG directive with all before it: 300,000 of them cost it minutes. */
static bool too_many_directives(struct parsing *p, size_t len)
{
	enum { MOST = 16 };
	yaml_mark_t mark = {0};
	unsigned count = 0;

	for (size_t at = 0; at < len; mark.line++) {
		const char *end = memchr(p->bytes + at, '\n', len - at);

		if (p->bytes[at] == '%' && ++count > MOST) {
			fail(p, mark, "too many lines that begin with \"%\" (16 at most)");
			return true;
		}
		at = end != NULL ? (size_t)(end - p->bytes) + 1 : len;
	}
	return false;
}

/* UTF-8's mark is no column of the file; that of UTF-16 and UTF-32 says what to do. */
static bool begins_well(struct parsing *p, size_t *len)
{
	const unsigned char *b = (const unsigned char *)p->bytes;

	if (*len >= 2 && ((b[0] == 0xff && b[1] == 0xfe) || (b[0] == 0xfe && b[1] == 0xff))) {
		fail(p, (yaml_mark_t){0}, "UTF-16 or UTF-32 (save the file as UTF-8)");
		return false;
	}
	if (*len >= 3 && memcmp(b, "\xef\xbb\xbf", 3) == 0) {
		p->bytes += 3;
		*len -= 3;
	}
	return true;
}

struct conf_node *conf_yaml_parse(struct conf_yaml *y, const char *bytes, size_t len)
{
	struct parsing p = {.y = y, .bytes = bytes};

	y->partial = NULL;
	if (!begins_well(&p, &len) || too_many_directives(&p, len))
		return NULL;
	if (yaml_parser_initialize(&p.parser) == 0) {
		conf_error(y->report, (struct spec_place){y->file, 1, 1}, "out of memory");
		return NULL;
	}
	yaml_parser_set_encoding(&p.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p.parser, (const unsigned char *)p.bytes, len);
	parse(&p);
	yaml_parser_delete(&p.parser);
	y->partial = p.root;
	return p.failed ? NULL : p.root;
}
