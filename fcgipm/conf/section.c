/* A mapping of the file into settings (conf process).  What a key is comes from the table alone: no key is named here. */
#include "fcgipm/conf/section.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "fcgipm/base/text.h"

static struct spec_place value_place(const struct conf_node *n)
{
	return conf_node_is_empty(n) ? n->key_place : n->place;
}

struct spec_place conf_item_place(const struct conf_node *value, const char *item, struct spec_place otherwise)
{
	for (const struct conf_node *n = value != NULL ? value->first : NULL; n != NULL; n = n->next) {
		if (value->shape == CONF_MAP && strcmp(n->key, item) == 0)
			return n->key_place;
		if (value->shape == CONF_LIST && n->shape == CONF_SCALAR && strcmp(n->text, item) == 0)
			return n->place;
	}
	return otherwise;
}

const char *conf_nearest(const char *word, const char *const *words, size_t count)
{
	unsigned best = strlen(word) < 5 ? 2 : 3, least = UINT_MAX;
	const char *nearest = NULL, *begun = NULL;

	if (strlen(word) > 64)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		unsigned distance = fp_text_distance(word, words[i]);
		bool begins = strncmp(word, words[i], strlen(words[i])) == 0 || strncmp(word, words[i], strlen(word)) == 0;

		if (distance < best) {
			best = distance;
			nearest = words[i];
		}
		if (begins && distance < least && strlen(word) > 2) {
			least = distance;
			begun = words[i];
		}
	}
	return nearest != NULL ? nearest : begun;
}

/* The words that may stand below prefix ("" or "workers."): keys, and names of sections. */
static size_t words_below(const struct settings_table *t, const char *prefix, char (*words)[64], size_t most)
{
	size_t count = 0, len = strlen(prefix);

	for (uint32_t i = 0; i < t->count && count < most; i++) {
		const char *rest = t->rows[i].key + len;

		if (strncmp(t->rows[i].key, prefix, len) != 0)
			continue;
		snprintf(words[count], sizeof(words[0]), "%.*s", (int)strcspn(rest, "."), rest);
		if (count == 0 || strcmp(words[count], words[count - 1]) != 0)
			count++;
	}
	return count;
}

/* A key of that last name elsewhere: "workers.max" for "max". */
static const char *key_elsewhere(const struct settings_table *t, const char *word)
{
	for (uint32_t i = 0; i < t->count; i++) {
		const char *dot = strchr(t->rows[i].key, '.');

		if (dot != NULL && strcmp(dot + 1, word) == 0)
			return t->rows[i].key;
	}
	return NULL;
}

/* Those of a section are few. */
static void say_known_keys(const struct conf_section *c, const char *prefix, const struct conf_node *n, const char *const *words, size_t count)
{
	char known[512] = "";
	struct fp_text t = FP_TEXT(known);

	for (size_t i = 0; prefix[0] != '\0' && i < count; i++)
		fp_text_add(&t, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", words[i]);
	conf_error(c->report, n->key_place, "%s.%s%.64s: unknown key (%s)", c->path, prefix, n->key,
		   known[0] != '\0' ? known : "fcgipm.yaml(5) lists those that there are");
}

static void unknown_key(const struct conf_section *c, const char *prefix, const struct conf_node *n)
{
	char words[96][64];
	const char *list[96], *nearest;
	size_t count = words_below(c->table, prefix, words, 96);

	for (size_t i = 0; i < count; i++)
		list[i] = words[i];
	nearest = conf_nearest(n->key, list, count);
	if (nearest == NULL)
		nearest = key_elsewhere(c->table, n->key);
	if (prefix[0] == '\0' && settings_find(c->table, n->key) != NULL)
		conf_error(c->report, n->key_place, "%s.%.64s: unknown key (write it as %.*s: {%s: ...})", c->path, n->key, (int)strcspn(n->key, "."), n->key,
			   strchr(n->key, '.') + 1);
	else if (nearest != NULL)
		conf_error(c->report, n->key_place, "%s.%s%.64s: unknown key (did you mean \"%s\"?)", c->path, prefix, n->key, nearest);
	else
		say_known_keys(c, prefix, n, list, count);
}

static void wrong(const struct conf_section *c, const struct settings_row *row, struct spec_place place, const char *text)
{
	conf_error(c->report, place, "%s.%s: %s", c->path, row->key, text);
}

static int apply_item(const struct conf_section *c, const struct settings_row *row, const struct conf_node *item)
{
	struct fp_err err = {0};
	int r;

	if (item->shape != CONF_SCALAR) {
		wrong(c, row, item->place, "a list or mapping among the items (each is one value)");
		return -EINVAL;
	}
	r = settings_add(c->settings, row, item->text, &err);
	if (r < 0)
		wrong(c, row, item->place, err.text);
	return r;
}

/* What stands there in brackets, where that can be meant. */
static void not_a_list(const struct conf_section *c, const struct settings_row *row, const struct conf_node *n)
{
	char text[160] = "not a list (such as ";
	struct fp_text t = {.at = text, .cap = sizeof(text), .len = strlen(text)};

	if (row->type == SETTINGS_COMMAND) {
		fp_text_add(&t, "[/usr/bin/php-cgi, -b])");
	} else if (n->shape == CONF_MAP || strlen(n->text) > 64 || strpbrk(n->text, " ,") != NULL) {
		fp_text_add(&t, "[a, b])");
	} else {
		fp_text_add(&t, "[\"");
		fp_text_add_escaped(&t, n->text, strlen(n->text));
		fp_text_add(&t, "\"])");
	}
	wrong(c, row, n->place, text);
}

static void apply_list(const struct conf_section *c, const struct settings_row *row, const struct conf_node *n)
{
	int r = 0;

	if (n->shape == CONF_MAP || (n->shape == CONF_SCALAR && !conf_node_is_empty(n))) {
		not_a_list(c, row, n);
		return;
	}
	settings_clear(c->settings, row);
	for (const struct conf_node *item = n->first; item != NULL && r != -E2BIG; item = item->next)
		r = apply_item(c, row, item);
}

static int apply_pair(const struct conf_section *c, const struct settings_row *row, const struct conf_node *n)
{
	struct fp_arena scratch = {0};
	struct fp_err err = {0};
	char *pair = fp_arena_printf(&scratch, "%s=%s", n->key, n->shape == CONF_SCALAR ? n->text : "");
	int r = pair != NULL ? 0 : -ENOMEM;

	if (strchr(n->key, '=') != NULL)
		conf_error(c->report, n->key_place, "%s.%s: \"=\" in the name %.64s (NAME: VALUE)", c->path, row->key, n->key);
	else if (n->shape != CONF_SCALAR)
		conf_error(c->report, n->place, "%s.%s.%.64s: not one value (NAME: VALUE)", c->path, row->key, n->key);
	else if (pair != NULL && (r = settings_add(c->settings, row, pair, &err)) < 0)
		wrong(c, row, n->key_place, err.text);
	fp_arena_fini(&scratch);
	return r;
}

static void apply_environment(const struct conf_section *c, const struct settings_row *row, const struct conf_node *n)
{
	int r = 0;

	if (n->shape != CONF_MAP && !conf_node_is_empty(n)) {
		wrong(c, row, n->place, "not a mapping (NAME: VALUE lines)");
		return;
	}
	for (const struct conf_node *pair = n->first; pair != NULL && r != -E2BIG; pair = pair->next)
		r = apply_pair(c, row, pair);
}

static void apply_scalar(const struct conf_section *c, const struct settings_row *row, const struct conf_node *n)
{
	struct fp_err err = {0};

	if (n->shape != CONF_SCALAR)
		wrong(c, row, n->place, n->shape == CONF_LIST ? "a list (one value belongs here)" : "a mapping (one value belongs here)");
	else if (settings_set(c->settings, row, n->text, &err) < 0)
		wrong(c, row, value_place(n), err.text);
}

static void apply_row(const struct conf_section *c, const struct settings_row *row, const struct conf_node *n)
{
	c->places[row - c->table->rows] = value_place(n);
	if (c->nodes != NULL)
		c->nodes[row - c->table->rows] = n;
	if (row->type == SETTINGS_ENVIRONMENT)
		apply_environment(c, row, n);
	else if (settings_kind_of(row->type) == SETTINGS_LIST)
		apply_list(c, row, n);
	else
		apply_scalar(c, row, n);
}

static bool is_section(const struct settings_table *t, const char *name)
{
	size_t len = strlen(name);

	for (uint32_t i = 0; i < t->count; i++)
		if (strncmp(t->rows[i].key, name, len) == 0 && t->rows[i].key[len] == '.')
			return true;
	return false;
}

static const struct settings_row *row_of(const struct settings_table *t, const char *prefix, const char *word)
{
	char key[128];
	int n = snprintf(key, sizeof(key), "%s%s", prefix, word);

	if (n < 0 || (size_t)n >= sizeof(key) || strchr(word, '.') != NULL)
		return NULL;
	return settings_find(t, key);
}

static void apply_inner(const struct conf_section *c, const struct conf_node *section)
{
	char prefix[66];

	if (section->shape != CONF_MAP && !conf_node_is_empty(section)) {
		conf_error(c->report, section->place, "%s.%s: not a mapping (KEY: VALUE lines)", c->path, section->key);
		return;
	}
	snprintf(prefix, sizeof(prefix), "%.64s.", section->key);
	for (const struct conf_node *n = section->first; n != NULL; n = n->next) {
		const struct settings_row *row = row_of(c->table, prefix, n->key);

		if (row != NULL)
			apply_row(c, row, n);
		else
			unknown_key(c, prefix, n);
	}
}

void conf_section_apply(const struct conf_section *c, const struct conf_node *map)
{
	if (map->shape != CONF_MAP && !conf_node_is_empty(map)) {
		conf_error(c->report, map->place, "%s: not a mapping (KEY: VALUE lines)", c->path);
		return;
	}
	for (const struct conf_node *n = map->first; n != NULL; n = n->next) {
		const struct settings_row *row = row_of(c->table, "", n->key);

		if (row != NULL)
			apply_row(c, row, n);
		else if (strchr(n->key, '.') == NULL && n->key[0] != '\0' && is_section(c->table, n->key))
			apply_inner(c, n);
		else
			unknown_key(c, "", n);
	}
}
