/* HTML, and nothing that anybody wrote taken for it. */
#ifndef FCGIPM_STATUS_HTML_H
#define FCGIPM_STATUS_HTML_H

#include "fcgipm/base/text.h"

/* Text for an element or a quoted attribute: what a terminal would not show as it is (control bytes, bytes that are no UTF-8, what steers the direction of
 * writing) is spelled out, then <, >, &, " and ' are escaped. */
void html_text(struct fp_doc *d, const char *text);

#endif
