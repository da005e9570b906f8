/* The findings of a look (look process): bounded, whole lines. */
#include "fcgipm/look/report.h"

#include <stdarg.h>

/* mark: "" or "~".  The number of lines that were added. */
static unsigned add(struct fp_text *t, const char *mark, const char *key, const char *fmt, va_list ap)
{
	static const char more[] = "pool\tthere is more than fits here\n";
	size_t before = t->len;

	if (t->cut)
		return 0;
	fp_text_add(t, "%s%s\t", mark, key);
	fp_text_vadd(t, fmt, ap);
	fp_text_add(t, "\n");
	if (!t->cut && t->cap - t->len > sizeof(more) + 1)
		return 1;
	/* Every line but the last leaves room for this one. */
	t->len = before;
	fp_text_add(t, "%s%s", mark, more);
	t->cut = true;
	return 1;
}

void look_error(struct look_report *r, const char *key, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	r->error_count += add(&r->errors, "", key, fmt, ap);
	va_end(ap);
}

void look_warn(struct look_report *r, const char *key, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(&r->warnings, "~", key, fmt, ap);
	va_end(ap);
}
