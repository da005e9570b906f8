/* libyaml's problems, said for whoever has to mend the file (conf process).  A problem that is not in the table is passed on in libyaml's own words. */
#include "fcgipm/conf/syntax.h"

#include <string.h>

#define TAB "a tab in the indentation (spaces only)"

/* byte: 0 for any.  where: what comes before the line of the context; NULL: it is not told. */
static const struct saying {
	const char *problem;
	char byte;
	const char *text, *where, *remedy;
} sayings[] = {
	{"found character that cannot start any token", '\t', TAB, NULL, NULL},
	{"found a tab character that violates indentation", 0, TAB, NULL, NULL},
	{"found a tab character where an indentation space is expected", 0, TAB, NULL, NULL},
	{"found character that cannot start any token", '@', "a value cannot begin with \"@\"", NULL, "write it in quotes, such as \"@adm\""},
	{"found character that cannot start any token", '%', "a value cannot begin with \"%\"", NULL, "write it in quotes"},
	{"found character that cannot start any token", '`', "a value cannot begin with a backquote", NULL, "write it in quotes"},
	{"mapping values are not allowed in this context", 0, "a \":\" where no key can be", NULL,
	 "mend the indentation, or quote a value that holds \": \"; a key has at most 1024 characters"},
	{"could not find expected ':'", 0, "no \":\" after the key", " in line", "KEY: VALUE, with a blank between; a key has at most 1024 characters"},
	{"did not find expected key", 0, "no key of the mapping", " that begins in line", "mend the indentation or the quotes"},
	{"did not find expected '-' indicator", 0, "no item of the list", " that begins in line", "\"- \" in the same column as the others"},
	{"did not find expected ',' or ']'", 0, "no end of the list", " that begins in line", "\",\" or \"]\""},
	{"did not find expected ',' or '}'", 0, "no end of the mapping", " that begins in line", "\",\" or \"}\""},
	{"did not find expected node content", 0, "no value", NULL, "a comma or a bracket too many?"},
	{"block sequence entries are not allowed in this context", 0, "an item of a list where none can be", NULL, "begin a line with \"- \", or write [a, b]"},
	{"found unexpected end of stream", 0, "no end of the quoted text", " that begins in line", "close the quotes"},
	{"found unknown escape character", 0, "no escape sequence", NULL, "\"\\\\\" for a backslash, or single quotes"},
	{"did not find expected hexdecimal number", 0, "no escape sequence", NULL, "\"\\\\\" for a backslash, or single quotes"},
	{"found unexpected ':'", 0, "a \":\" without a blank behind it", NULL, "{KEY: VALUE}, or the value in quotes"},
	{"did not find expected alphabetic or numeric character", 0, "neither \"&\" nor \"*\" can begin a value", NULL, "write it in quotes"},
	{"did not find expected comment or line break", 0, "text in the line of a \"|\" or \">\"", NULL, "it begins in the next line, or goes in quotes"},
	{"did not find expected <document start>", 0, "no part of the document", NULL, "leave out \"...\" and lines that begin with \"%\""},
	{"found unknown directive name", 0, "a line that begins with \"%\"", NULL, "leave it out"},
	{"found incompatible YAML document", 0, "another version of YAML", NULL, "leave out lines that begin with \"%\""},
};

void conf_syntax_say(const struct conf_syntax *s, struct fp_text *t)
{
	for (size_t i = 0; i < sizeof(sayings) / sizeof(sayings[0]); i++) {
		const struct saying *y = &sayings[i];

		if (strcmp(y->problem, s->problem) != 0 || (y->byte != 0 && (unsigned char)y->byte != s->byte))
			continue;
		fp_text_add(t, "%s", y->text);
		if (y->where != NULL && s->context != NULL)
			fp_text_add(t, "%s %zu", y->where, s->line);
		if (y->remedy != NULL)
			fp_text_add(t, " (%s)", y->remedy);
		return;
	}
	fp_text_add(t, "%s", s->problem);
	if (s->context != NULL)
		fp_text_add(t, ", %s that starts in line %zu", s->context, s->line);
}
