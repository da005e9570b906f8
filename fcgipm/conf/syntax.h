/* What libyaml says of a broken file, in words that say what to do. */
#ifndef FCGIPM_CONF_SYNTAX_H
#define FCGIPM_CONF_SYNTAX_H

#include <stddef.h>

#include "fcgipm/base/text.h"

/* problem, context: libyaml's, context may be NULL; line: where the context begins; byte: what stands at the problem. */
struct conf_syntax {
	const char *problem, *context;
	size_t line;
	unsigned char byte;
};

void conf_syntax_say(const struct conf_syntax *s, struct fp_text *t);

#endif
