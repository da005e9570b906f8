/* HTML (status page). */
#include "fcgipm/status/html.h"

#include "fcgipm/client/term.h"

void html_text(struct fp_doc *d, const char *text)
{
	struct fp_doc safe = {.at = NULL};

	term_add(&safe, text, false);
	d->failed = d->failed || safe.failed;
	for (const char *s = safe.at != NULL ? safe.at : ""; *s != '\0'; s++)
		switch (*s) {
		case '<':
			fp_doc_add(d, "&lt;");
			break;
		case '>':
			fp_doc_add(d, "&gt;");
			break;
		case '&':
			fp_doc_add(d, "&amp;");
			break;
		case '"':
			fp_doc_add(d, "&quot;");
			break;
		case '\'':
			fp_doc_add(d, "&#39;");
			break;
		default:
			fp_doc_add(d, "%c", *s);
		}
	fp_doc_fini(&safe);
}
