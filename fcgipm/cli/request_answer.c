/* What an application writes to its standard output (command line).  The body goes to out as it comes; the head is
 * understood line by line, so that it may arrive a byte at a time. */
#include "fcgipm/cli/request_answer.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

void request_answer_init(struct request_answer *a, FILE *out, bool show_head)
{
	*a = (struct request_answer){.out = out, .show_head = show_head, .status = 200};
}

/* "404" or "404 Not Found"; 0: it is no status. */
static int read_status(const char *text)
{
	text += strspn(text, " \t");
	for (int i = 0; i < 3; i++)
		if (!isdigit((unsigned char)text[i]))
			return 0;
	if (text[0] == '0' || isalnum((unsigned char)text[3]))
		return 0;
	return (text[0] - '0') * 100 + (text[1] - '0') * 10 + text[2] - '0';
}

/* NAME: VALUE, or as the first line HTTP/1.1 200 OK.  False: it is neither. */
static bool take_header(struct request_answer *a, const char *line)
{
	const char *colon = strchr(line, ':');
	int status;

	if (a->lines == 1 && strncmp(line, "HTTP/", 5) == 0)
		status = read_status(line + strcspn(line, " "));
	else if (colon == NULL || strcspn(line, " \t") < (size_t)(colon - line))
		return a->lines > 1 && (line[0] == ' ' || line[0] == '\t'); /* an old-style continuation */
	else if (colon - line == 6 && strncasecmp(line, "Status", 6) == 0)
		status = read_status(colon + 1);
	else
		return colon != line;
	if (status != 0)
		a->status = status;
	return status != 0;
}

static void end_head(struct request_answer *a)
{
	if (a->status >= 200) {
		a->in_body = true;
		return;
	}
	/* An interim answer: the real one follows. */
	a->status = 200;
	a->lines = 0;
}

static void give_up(struct request_answer *a)
{
	a->malformed = true;
	a->in_body = true;
	fwrite(a->line, 1, a->len, a->out);
}

static void take_line(struct request_answer *a)
{
	size_t len = a->len - 1;

	if (len > 0 && a->line[len - 1] == '\r')
		len--;
	a->lines++;
	if (memchr(a->line, '\0', len) != NULL) {
		give_up(a);
		return;
	}
	if (a->show_head)
		fprintf(a->out, "%.*s\n", (int)len, a->line);
	if (len == 0) {
		end_head(a);
	} else {
		char kept = a->line[len];

		a->line[len] = '\0';
		if (!take_header(a, a->line)) {
			a->line[len] = kept;
			a->len = a->show_head ? 0 : a->len; /* it is already there */
			give_up(a);
		}
	}
	a->len = 0;
}

/* Takes bytes of a line; returns how many. */
static size_t collect(struct request_answer *a, const char *bytes, size_t len)
{
	const char *end = memchr(bytes, '\n', len);
	size_t want = end != NULL ? (size_t)(end - bytes) + 1 : len;

	if (want > sizeof(a->line) - a->len) {
		give_up(a);
		return 0;
	}
	memcpy(a->line + a->len, bytes, want);
	a->len += want;
	if (end != NULL)
		take_line(a);
	return want;
}

void request_answer_feed(struct request_answer *a, const char *bytes, size_t len)
{
	a->any = a->any || len > 0;
	while (len > 0 && !a->in_body) {
		size_t taken = collect(a, bytes, len);

		bytes += taken;
		len -= taken;
	}
	if (len > 0)
		fwrite(bytes, 1, len, a->out);
}

const char *request_answer_end(struct request_answer *a)
{
	if (!a->any)
		return "the application sent no answer";
	if (!a->in_body) {
		give_up(a);
		return "the answer ends within its head";
	}
	return a->malformed ? "the answer has no CGI head" : NULL;
}
