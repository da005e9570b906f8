/* Error texts (every process).  Never logs, never ends the process. */
#include "fcgipm/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(text))
		snprintf(text + n, sizeof(text) - (size_t)n, "%s", err->text);
	memcpy(err->text, text, sizeof(text));
	return -err->code;
}
