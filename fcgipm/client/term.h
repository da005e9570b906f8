/* Text from elsewhere, made fit for a terminal. */
#ifndef FCGIPM_CLIENT_TERM_H
#define FCGIPM_CLIENT_TERM_H

#include <stdbool.h>

#include "fcgipm/base/text.h"

/* Adds text with everything that could steer a terminal as \xNN: C0 and C1 control characters, DEL, marks that turn the
 * direction of writing, and bytes that are not UTF-8.  With lines, newlines and tabs stay. */
void term_add(struct fp_doc *d, const char *text, bool lines);

/* Columns that a line which term_add() made takes on the terminal (by the process's LC_CTYPE). */
size_t term_columns(const char *line);
/* Adds such a line so that it takes at most so many columns: where it is too long a "~" stands for what is left out, with the last tail columns after it. */
void term_fit(struct fp_doc *d, const char *line, size_t columns, size_t tail);

#endif
