/* The head of an application's answer (command line, web server modules).  When its empty line has come, its lines are judged, and names and values packed where
 * they are, with NULs behind them. */
#include "fcgipm/fcgi/head.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* RFC 9110, 5.6.2 */
static bool is_token(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && (s[i] == '\0' || strchr("!#$%&'*+-.^_`|~", s[i]) == NULL))
			return false;
	return len > 0;
}

static bool is_text(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)s[i] < ' ' && s[i] != '\t') || s[i] == 0x7f)
			return false;
	return true;
}

/* "404" or "404 Not Found".  0: it is no status. */
static int read_status(const char *text)
{
	for (int i = 0; i < 3; i++)
		if (!isdigit((unsigned char)text[i]))
			return 0;
	if (text[0] == '0' || (text[3] != '\0' && text[3] != ' ' && text[3] != '\t'))
		return 0;
	return (text[0] - '0') * 100 + (text[1] - '0') * 10 + text[2] - '0';
}

static char *skip_blanks(char *s)
{
	return s + strspn(s, " \t");
}

/* Puts a text at the end of what is kept; it is there already, or further behind. */
static const char *keep(struct fcgi_head *h, const char *text)
{
	size_t size = strlen(text) + 1;
	char *at = memmove(h->buf + h->fields, text, size);

	h->fields += size;
	return at;
}

static bool object(struct fcgi_head *h, const char *why, const char *wrong)
{
	h->why = why;
	h->wrong = wrong;
	return false;
}

static bool take_status(struct fcgi_head *h, const char *text)
{
	if (h->status_line != NULL)
		return object(h, "a second status", text);
	h->status = read_status(text);
	if (h->status == 0)
		return object(h, "no HTTP status", text);
	h->status_line = keep(h, text);
	return true;
}

static bool take_field(struct fcgi_head *h, char *line, size_t len)
{
	char *colon = memchr(line, ':', len), *end = line + len;

	if (colon == NULL)
		return object(h, "a line without a colon", line);
	if (!is_token(line, (size_t)(colon - line)))
		return object(h, "no field name before the colon", line);
	while (end > colon + 1 && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = *colon = '\0';
	if (strcasecmp(line, "Status") == 0)
		return take_status(h, skip_blanks(colon + 1));
	keep(h, line);
	keep(h, skip_blanks(colon + 1));
	return true;
}

/* The line from at on, NUL-terminated: its length without its end, and where the next one begins.  Lines that go on with it are joined to it. */
static size_t cut(struct fcgi_head *h, size_t at, size_t *ret_next)
{
	char *line = h->buf + at;

	for (;;) {
		char *end = memchr(h->buf + *ret_next, '\n', h->len - *ret_next);
		size_t len = (size_t)(end - line) - (end > line && end[-1] == '\r');

		*ret_next = (size_t)(end - h->buf) + 1;
		if (end[1] != ' ' && end[1] != '\t') { /* the head's last line is empty: there is a byte behind each other one */
			line[len] = '\0';
			return len;
		}
		memset(line + len, ' ', (size_t)(end + 1 - line) - len);
	}
}

/* What is kept is never longer than the lines that it came from: it is written over them. */
static enum fcgi_head_state judge(struct fcgi_head *h)
{
	size_t end = h->line, next = 0;

	for (size_t at = 0; at < end; at = next) {
		size_t len = cut(h, at, &next);
		char *line = h->buf + at;
		bool nph = at == 0 && strncmp(line, "HTTP/", 5) == 0;

		if (!is_text(line, len) && !object(h, "a control byte", line))
			return FCGI_HEAD_MALFORMED;
		if (!(nph ? take_status(h, skip_blanks(line + strcspn(line, " "))) : take_field(h, line, len)))
			return FCGI_HEAD_MALFORMED;
	}
	return FCGI_HEAD_READY;
}

/* A line is complete. */
static void end_line(struct fcgi_head *h)
{
	size_t len = h->len - h->line;

	if (len == 1 || (len == 2 && h->buf[h->line] == '\r'))
		h->state = judge(h);
	else
		h->line = h->len;
}

size_t fcgi_head_take(struct fcgi_head *h, const char *bytes, size_t len)
{
	size_t used = 0;

	while (used < len && h->state == FCGI_HEAD_MORE) {
		const char *end = memchr(bytes + used, '\n', len - used);
		size_t want = end != NULL ? (size_t)(end - bytes) + 1 - used : len - used;

		if (want > h->cap - h->len) {
			h->state = FCGI_HEAD_TOO_LONG;
			break;
		}
		memcpy(h->buf + h->len, bytes + used, want);
		h->len += want;
		used += want;
		if (end != NULL)
			end_line(h);
	}
	return used;
}

/* The status line lies between the fields where it stood. */
bool fcgi_head_next(struct fcgi_head *h, struct fcgi_field *ret)
{
	if (h->status_line == h->buf + h->next)
		h->next += strlen(h->status_line) + 1;
	if (h->state != FCGI_HEAD_READY || h->next >= h->fields)
		return false;
	ret->name = h->buf + h->next;
	ret->value = ret->name + strlen(ret->name) + 1;
	h->next = (size_t)(ret->value - h->buf) + strlen(ret->value) + 1;
	return true;
}

void fcgi_head_reset(struct fcgi_head *h)
{
	*h = FCGI_HEAD(h->buf, h->cap);
}
