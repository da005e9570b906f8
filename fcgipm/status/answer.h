/* One request for the status page, answered.  Pure but for the source that it reads. */
#ifndef FCGIPM_STATUS_ANSWER_H
#define FCGIPM_STATUS_ANSWER_H

#include "fcgipm/base/text.h"
#include "fcgipm/status/source.h"

struct status_request {
	const char *method, *path, *query; /* path: of the URL, with or without the query */
};

/* Head (CGI) and body, the latter empty for HEAD. */
void status_answer(struct fp_doc *d, struct source *src, const struct status_request *r);

#endif
