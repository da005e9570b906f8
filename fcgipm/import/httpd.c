/* The lines of an httpd configuration (command line).  Their bytes are foreign: nothing here reads past the end. */
#include "fcgipm/import/httpd.h"

#include <string.h>

static const char blanks[] = " \t\r\n\v\f";

/* One line and those it goes on in, without the backslashes, to f->line.  NULL, or what is wrong with it. */
static const char *join(struct httpd_file *f)
{
	const char *wrong = NULL;
	size_t len = 0;
	bool more = true;

	while (more && f->at < f->end) {
		const char *feed = memchr(f->at, '\n', (size_t)(f->end - f->at)), *stop = feed != NULL ? feed : f->end;
		size_t n = (size_t)(stop - f->at);

		more = n > 0 && stop[-1] == '\\';
		n -= more;
		if (memchr(f->at, '\0', n) != NULL)
			wrong = "a NUL byte";
		if (n > HTTPD_LINE_MAX - len) {
			wrong = "a line longer than 65536 bytes";
			n = 0;
		}
		memcpy(f->line + len, f->at, n);
		len += n;
		f->at = stop + (feed != NULL);
		f->next++;
	}
	f->line[len] = '\0';
	return wrong;
}

/* One word at *text, which moves behind it and its blanks.  NULL: a quote does not end. */
static const char *word(struct keep *k, const char **text)
{
	char buf[HTTPD_LINE_MAX + 1], quote = **text == '"' || **text == '\'' ? **text : '\0';
	const char *at = *text + (quote != '\0');
	size_t len = 0;

	while (*at != '\0' && len < HTTPD_LINE_MAX && (quote != '\0' ? *at != quote : strchr(blanks, *at) == NULL)) {
		if (quote != '\0' && at[0] == '\\' && (at[1] == '\\' || at[1] == quote))
			at++;
		buf[len++] = *at++;
	}
	if (quote != '\0' && *at != quote)
		return NULL;
	at += quote != '\0';
	*text = at + strspn(at, blanks);
	return keep_text(k, buf, len);
}

int httpd_words(struct keep *k, const char *text, const char **words, unsigned most)
{
	unsigned n = 0;

	for (text += strspn(text, blanks); *text != '\0'; n++) {
		if (n == most)
			return -1;
		words[n] = word(k, &text);
		if (words[n] == NULL)
			return -1;
	}
	return (int)n;
}

static void trim(char *text, size_t len)
{
	while (len > 0 && strchr(blanks, text[len - 1]) != NULL)
		len--;
	text[len] = '\0';
}

/* Name rest */
static void read_directive(char *text, struct httpd_line *l)
{
	size_t len = strcspn(text, blanks);

	l->name = text;
	l->rest = text + len;
	if (text[len] == '\0')
		return;
	text[len] = '\0';
	text += len + 1;
	text += strspn(text, blanks);
	trim(text, strlen(text));
	l->rest = text;
}

/* <Name rest> or </Name> */
static void read_section(char *text, struct httpd_line *l)
{
	char *end = strrchr(text, '>');

	l->kind = text[1] == '/' ? HTTPD_CLOSE : HTTPD_OPEN;
	text += l->kind == HTTPD_CLOSE ? 2 : 1;
	if (end == NULL || end < text) {
		l->kind = HTTPD_WRONG;
		l->name = "a section without its >";
		return;
	}
	*end = '\0';
	read_directive(text, l);
}

struct httpd_line httpd_read(struct httpd_file *f)
{
	struct httpd_line l = {.kind = HTTPD_NOTHING, .line = f->next, .rest = ""};
	char *text = f->line;

	if (f->at >= f->end)
		return (struct httpd_line){.kind = HTTPD_END, .line = f->next};
	l.name = join(f);
	if (l.name != NULL) {
		l.kind = HTTPD_WRONG;
		return l;
	}
	text += strspn(text, blanks);
	if (*text == '\0' || *text == '#')
		return l;
	l.kind = HTTPD_DIRECTIVE;
	if (*text == '<')
		read_section(text, &l);
	else
		read_directive(text, &l);
	return l;
}
