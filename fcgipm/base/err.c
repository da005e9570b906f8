/* Error texts (every process).  Never logs, never ends the process. */
#include "fcgipm/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fcgipm/base/text.h"

int fp_fail(struct fp_err *err, int errnum, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL || err->code != 0)
		return -errnum;
	va_start(ap, fmt);
	errno = errnum; /* for %m */
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	err->code = errnum;
	return -errnum;
}

int fp_fail_prefix(struct fp_err *err, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	struct fp_text t = FP_TEXT(text);
	va_list ap;

	if (err == NULL)
		return 0;
	va_start(ap, fmt);
	fp_text_vadd(&t, fmt, ap);
	va_end(ap);
	fp_text_add(&t, "%s", err->text);
	memcpy(err->text, text, t.len + 1);
	return -err->code;
}
