/* The effective configuration as YAML.  Pure.  Reading a dump and dumping it again gives the same text (a test says so). */
#include "fcgipm/settings/settings.h"

#include <string.h>
#include <strings.h>

#include "fcgipm/settings/check.h"
#include "fcgipm/settings/row.h"

/* Other readers of YAML 1.1 make a boolean or nothing of these. */
static bool is_yaml_word(const char *text)
{
	static const char *const words[] = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	return false;
}

/* And an octal number of 0660, a float of 1e3, a date of 2026-01-01. */
static bool is_plain_number(const char *text)
{
	return text[strspn(text, "0123456789")] == '\0' && (text[0] != '0' || text[1] == '\0');
}

/* What YAML reads as itself without quotes, and nobody takes for something else. */
static bool is_plain(const char *text)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.+-";

	if (text[0] == '\0' || strchr("-.+", text[0]) != NULL || text[strspn(text, chars)] != '\0' || is_yaml_word(text))
		return false;
	return strchr("0123456789", text[0]) == NULL || is_plain_number(text);
}

static void add_text(struct fp_doc *d, const char *text)
{
	if (is_plain(text)) {
		fp_doc_add(d, "%s", text);
		return;
	}
	fp_doc_add(d, "\"");
	fp_doc_add_escaped(d, text, strlen(text));
	fp_doc_add(d, "\"");
}

static void add_list(struct fp_doc *d, const struct settings_list *l)
{
	fp_doc_add(d, " [");
	for (uint32_t i = 0; i < l->count; i++) {
		fp_doc_add(d, "%s", i > 0 ? ", " : "");
		add_text(d, l->items[i]);
	}
	fp_doc_add(d, "]\n");
}

static void add_pair(struct fp_doc *d, const char *pair, bool secrets)
{
	size_t len = strcspn(pair, "=");

	fp_doc_add(d, "\"");
	fp_doc_add_escaped(d, pair, len);
	fp_doc_add(d, "\": \"");
	if (secrets)
		fp_doc_add_escaped(d, pair + len + 1, strlen(pair + len + 1));
	else
		fp_doc_add(d, "********");
	fp_doc_add(d, "\"\n");
}

static void add_environment(struct fp_doc *d, const struct settings_list *l, unsigned indent, bool secrets)
{
	fp_doc_add(d, l->count > 0 ? "\n" : " {}\n");
	for (uint32_t i = 0; i < l->count; i++) {
		fp_doc_add(d, "%*s", (int)indent + 2, "");
		add_pair(d, l->items[i], secrets);
	}
}

static void add_value(struct fp_doc *d, const struct settings_row *row, const void *s, unsigned indent, bool secrets)
{
	char buf[32];

	if (row->type == SETTINGS_ENVIRONMENT) {
		add_environment(d, settings_get_list(s, row), indent, secrets);
		return;
	}
	if (settings_kind_of(row->type) == SETTINGS_LIST) {
		add_list(d, settings_get_list(s, row));
		return;
	}
	fp_doc_add(d, " ");
	if (settings_kind_of(row->type) == SETTINGS_TEXT)
		add_text(d, settings_get_text(s, row));
	else if (row->type == SETTINGS_MODE)
		fp_doc_add(d, "\"%s\"", settings_format(row, settings_number(s, row), buf, sizeof(buf)));
	else
		fp_doc_add(d, "%s", settings_format(row, settings_number(s, row), buf, sizeof(buf)));
	fp_doc_add(d, "\n");
}

void settings_dump(struct fp_doc *d, const struct settings_table *t, const void *s, unsigned indent, bool secrets)
{
	const char *section = "";
	size_t section_len = 0;

	for (uint32_t i = 0; i < t->count; i++) {
		const char *key = t->rows[i].key;
		const char *dot = strchr(key, '.');
		size_t len = dot != NULL ? (size_t)(dot - key) : 0;
		unsigned depth = indent + (dot != NULL ? 2 : 0);

		if (dot != NULL && (len != section_len || memcmp(section, key, len) != 0))
			fp_doc_add(d, "%*s%.*s:\n", (int)indent, "", (int)len, key);
		section = key;
		section_len = len;
		fp_doc_add(d, "%*s%s:", (int)depth, "", dot != NULL ? dot + 1 : key);
		add_value(d, &t->rows[i], s, depth, secrets);
	}
}

void settings_dump_value(struct fp_doc *d, const struct settings_row *row, const void *s, unsigned indent)
{
	add_value(d, row, s, indent, true);
}
