/* A draft as YAML (command line). */
#include "fcgipm/import/draft.h"

#include <errno.h>
#include <string.h>

struct printing {
	struct fp_doc *yaml;
	unsigned indent;
};

void draft_add_text(struct fp_doc *to, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\"\\");

		fp_doc_add_escaped(to, text, len);
		text += len;
		if (*text != '\0')
			fp_doc_add(to, "%c", *text++);
	}
}

static void print_note(const struct printing *p, const struct draft_note *n)
{
	fp_doc_add(p->yaml, "%*s# ", (int)p->indent, "");
	if (n->at.file != NULL) {
		draft_add_text(p->yaml, n->at.file);
		if (n->at.line > 0)
			fp_doc_add(p->yaml, ":%u", n->at.line);
		fp_doc_add(p->yaml, ": ");
	}
	if (n->at.what[0] != '\0') {
		draft_add_text(p->yaml, n->at.what);
		fp_doc_add(p->yaml, ": ");
	}
	draft_add_text(p->yaml, n->text);
	fp_doc_add(p->yaml, "\n");
}

static bool print_notes(const struct printing *p, const struct draft_note *n, int row)
{
	bool any = false;

	for (; n != NULL; n = n->next) {
		if (n->row != row)
			continue;
		print_note(p, n);
		any = true;
	}
	return any;
}

static bool has_row(const struct draft_part *part, int row)
{
	if (part->given[row])
		return true;
	for (const struct draft_note *n = part->notes; n != NULL; n = n->next)
		if (n->row == row)
			return true;
	return false;
}

static bool section_has_value(const struct draft_part *part, const char *section, size_t len)
{
	for (uint32_t i = 0; i < part->table->count; i++)
		if (part->given[i] && strncmp(part->table->rows[i].key, section, len) == 0 && part->table->rows[i].key[len] == '.')
			return true;
	return false;
}

static void print_row(struct printing p, const struct draft_part *part, uint32_t i)
{
	const char *key = part->table->rows[i].key, *dot = strchr(key, '.');

	p.indent += dot != NULL ? 2 : 0;
	print_notes(&p, part->notes, (int)i);
	if (!part->given[i])
		return;
	fp_doc_add(p.yaml, "%*s%s:", (int)p.indent, "", dot != NULL ? dot + 1 : key);
	settings_dump_value(p.yaml, &part->table->rows[i], &part->set, p.indent);
}

/* "workers:" before its first key; a section of comments alone is a comment too. */
static size_t print_section(const struct printing *p, const struct draft_part *part, const char *key)
{
	const char *dot = strchr(key, '.');
	size_t len = dot != NULL ? (size_t)(dot - key) : 0;

	if (len > 0)
		fp_doc_add(p->yaml, "%*s%s%.*s:\n", (int)p->indent, "", section_has_value(part, key, len) ? "" : "# ", (int)len, key);
	return len;
}

static void print_rows(const struct printing *p, const struct draft_part *part)
{
	const char *section = "";
	size_t len = 0;

	for (uint32_t i = 0; i < part->table->count; i++) {
		const char *key = part->table->rows[i].key;

		if (!has_row(part, (int)i))
			continue;
		if (len == 0 || strncmp(section, key, len) != 0 || key[len] != '.')
			len = print_section(p, part, key);
		section = key;
		print_row(*p, part, i);
	}
}

static bool is_empty(const struct draft_part *part)
{
	for (uint32_t i = 0; i < part->table->count; i++)
		if (part->given[i])
			return false;
	return true;
}

static void print_part(struct printing p, const struct draft_part *part)
{
	fp_doc_add(p.yaml, "%*s%s:%s\n", (int)p.indent, "", part->name, is_empty(part) ? " {}" : "");
	p.indent += 2;
	print_notes(&p, part->notes, DRAFT_NO_ROW);
	print_rows(&p, part);
}

void draft_print(const struct draft *d, const char *source, struct fp_doc *yaml)
{
	struct printing p = {.yaml = yaml};

	fp_doc_add(yaml, "# Made by fcgipm import %s.  Judge it with fcgipm check -c FILE; what it says was not carried over, decide.\n", source);
	print_notes(&p, d->notes, DRAFT_NO_ROW);
	if (!is_empty(&d->manager) || d->manager.notes != NULL)
		print_part(p, &d->manager);
	if (!is_empty(&d->defaults) || d->defaults.notes != NULL)
		print_part(p, &d->defaults);
	fp_doc_add(yaml, "pools:%s\n", d->pools == NULL ? " {}" : "");
	p.indent = 2;
	for (const struct draft_part *pool = d->pools; pool != NULL; pool = pool->next)
		print_part(p, pool);
}

int draft_finish(struct draft *d, const char *source, struct import_result *ret)
{
	bool failed;

	draft_print(d, source, &ret->yaml);
	failed = d->keep.failed || d->said.failed || ret->yaml.failed;
	ret->said = d->said;
	d->said = (struct fp_doc){.at = NULL};
	ret->bad = d->bad;
	draft_fini(d);
	return failed ? -ENOMEM : 0;
}

void import_result_fini(struct import_result *r)
{
	fp_doc_fini(&r->yaml);
	fp_doc_fini(&r->said);
}
