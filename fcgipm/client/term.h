/* Text from elsewhere, made fit for a terminal. */
#ifndef FCGIPM_CLIENT_TERM_H
#define FCGIPM_CLIENT_TERM_H

#include <stdbool.h>

#include "fcgipm/base/text.h"

/* Adds text with everything that could steer a terminal as \xNN: C0 and C1 control characters, DEL, marks that turn the
 * direction of writing, and bytes that are not UTF-8.  With lines, newlines and tabs stay. */
void term_add(struct fp_doc *d, const char *text, bool lines);

#endif
