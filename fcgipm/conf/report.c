/* The findings about a configuration (conf process).  It must never let a byte of the configuration through unescaped: one finding is one line. */
#include "fcgipm/conf/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/text.h"

struct conf_report *conf_report_new(void)
{
	return calloc(1, sizeof(struct conf_report));
}

void conf_report_free(struct conf_report *r)
{
	if (r == NULL)
		return;
	fp_arena_fini(&r->arena);
	free(r);
}

static char *clean(struct conf_report *r, const char *text)
{
	char *copy = fp_arena_copy(&r->arena, text, strlen(text));

	if (copy != NULL)
		fp_text_wash(copy, "");
	return copy;
}

int conf_report_file(struct conf_report *r, const char *name)
{
	const char *copy = r->file_count < CONF_FILES_MAX ? clean(r, name) : NULL;

	if (copy == NULL)
		return -1;
	r->files[r->file_count] = copy;
	return (int)r->file_count++;
}

static void keep(struct conf_report *r, bool warning, struct spec_place place, const char *text)
{
	uint32_t *count = warning ? &r->warnings : &r->errors;

	if ((*count)++ >= CONF_REPORT_MAX)
		return;
	r->findings[r->kept] = (struct conf_finding){warning, place, r->kept, clean(r, text)};
	r->kept++;
}

static void add(struct conf_report *r, bool warning, struct spec_place place, const char *fmt, va_list ap)
{
	char text[CONF_TEXT_MAX] = "";
	struct fp_text t = FP_TEXT(text);

	r->raised += !warning;
	fp_text_vadd(&t, fmt, ap);
	keep(r, warning, place, text);
}

void conf_error(struct conf_report *r, struct spec_place place, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(r, false, place, fmt, ap);
	va_end(ap);
}

void conf_warn(struct conf_report *r, struct spec_place place, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(r, true, place, fmt, ap);
	va_end(ap);
}

static bool same_place(const struct spec_place *a, const struct spec_place *b)
{
	return a->line == b->line && a->column == b->column && a->file == b->file;
}

static bool is_said(const struct conf_report *r, bool warning, struct spec_place place, const char *text)
{
	for (uint32_t i = 0; i < r->kept; i++) {
		const struct conf_finding *f = &r->findings[i];

		if (f->warning == warning && same_place(&f->place, &place) && f->text != NULL && strcmp(f->text, text) == 0)
			return true;
	}
	return false;
}

static void add_once(struct conf_report *r, bool warning, struct spec_place place, const char *fmt, va_list ap)
{
	char text[CONF_TEXT_MAX] = "";
	struct fp_text t = FP_TEXT(text);

	r->raised += !warning;
	fp_text_vadd(&t, fmt, ap);
	fp_text_wash(text, "");
	if (!is_said(r, warning, place, text))
		keep(r, warning, place, text);
}

void conf_error_once(struct conf_report *r, struct spec_place place, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_once(r, false, place, fmt, ap);
	va_end(ap);
}

void conf_warn_once(struct conf_report *r, struct spec_place place, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_once(r, true, place, fmt, ap);
	va_end(ap);
}

static int by_place(const void *va, const void *vb)
{
	const struct conf_finding *a = va, *b = vb;
	uint32_t ka[] = {a->warning, a->place.file, a->place.line, a->place.column, a->order};
	uint32_t kb[] = {b->warning, b->place.file, b->place.line, b->place.column, b->order};

	for (unsigned i = 0; i < sizeof(ka) / sizeof(ka[0]); i++)
		if (ka[i] != kb[i])
			return ka[i] < kb[i] ? -1 : 1;
	return 0;
}

static uint32_t print_kind(const struct conf_report *r, struct fp_doc *d, bool warning)
{
	uint32_t count = warning ? r->warnings : r->errors;
	uint32_t lines = 0;

	for (uint32_t i = 0; i < r->kept; i++) {
		const struct conf_finding *f = &r->findings[i];

		if (f->warning != warning)
			continue;
		fp_doc_add(d, "%s:%u:%u: %s%s\n", f->place.file < r->file_count ? r->files[f->place.file] : "?", f->place.line, f->place.column,
			   warning ? "warning: " : "", f->text != NULL ? f->text : "out of memory");
		lines++;
	}
	if (count == lines)
		return lines;
	fp_doc_add(d, "%s: %u more %s\n", r->file_count > 0 ? r->files[0] : "?", count - lines, warning ? "warnings" : "errors");
	return lines + 1;
}

void conf_report_print(struct conf_report *r, struct fp_doc *d, uint32_t *ret_errors, uint32_t *ret_warnings)
{
	qsort(r->findings, r->kept, sizeof(r->findings[0]), by_place);
	*ret_errors = print_kind(r, d, false);
	*ret_warnings = print_kind(r, d, true);
}
