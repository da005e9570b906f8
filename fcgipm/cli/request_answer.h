/* What an application writes to its standard output: a CGI head (RFC 3875, 6), then a body. */
#ifndef FCGIPM_CLI_REQUEST_ANSWER_H
#define FCGIPM_CLI_REQUEST_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { ANSWER_LINE_MAX = 65536 };

struct request_answer {
	FILE *out;
	bool show_head;
	bool in_body;
	bool any; /* something was written */
	bool malformed; /* the head is none: all of it goes to out */
	int status; /* HTTP's; 200 unless the head says otherwise */
	size_t lines; /* of this head so far */
	size_t len;
	char line[ANSWER_LINE_MAX];
};

void request_answer_init(struct request_answer *a, FILE *out, bool show_head);
void request_answer_feed(struct request_answer *a, const char *bytes, size_t len);
/* The application has ended its output.  NULL: it was an answer; else what it was not. */
const char *request_answer_end(struct request_answer *a);

#endif
