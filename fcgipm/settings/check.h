/* What a row's value may be, and how that is said: for this folder alone. */
#ifndef FCGIPM_SETTINGS_CHECK_H
#define FCGIPM_SETTINGS_CHECK_H

#include "fcgipm/settings/settings.h"

/* What an administrator wrote, as a message may show it: quoted, escaped, not too long. */
struct settings_quote {
	char text[160];
};
struct settings_quote settings_quote(const char *written);
#define SETTINGS_QUOTE(written) (settings_quote(written).text)

/* 0, -EINVAL, -ERANGE or -ENOSYS with err: is this what the row may hold?  The reading of a file and of a blob both ask.
 * written: the number as it was written. */
int settings_check_number(const struct settings_row *row, int64_t v, const char *written, struct fp_err *err);
int settings_check_text(const struct settings_row *row, const char *text, struct fp_err *err);
/* place: which item of the list it is. */
int settings_check_item(const struct settings_row *row, const char *item, uint32_t place, struct fp_err *err);

/* A number from what is written, unchecked but for its form, and back again. */
int settings_parse(const struct settings_row *row, const char *written, int64_t *ret);
const char *settings_format(const struct settings_row *row, int64_t v, char *buf, size_t cap);

#endif
