/* One line of a php-fpm configuration (command line).  Its bytes are foreign: nothing here reads past len. */
#include "fcgipm/import/ini.h"

#include <string.h>
#include <strings.h>

struct scan {
	const char *at, *end;
	char *value; /* room for the whole line */
	size_t value_len;
	bool quoted; /* some of it was */
	struct ini_line line;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct scan *s)
{
	while (s->at < s->end && is_blank(*s->at))
		s->at++;
}

static bool at_end(const struct scan *s)
{
	return s->at == s->end || *s->at == ';';
}

static const char *trimmed(struct keep *k, const char *from, const char *to)
{
	while (from < to && is_blank(*from))
		from++;
	while (to > from && is_blank(to[-1]))
		to--;
	return keep_text(k, from, (size_t)(to - from));
}

static struct ini_line wrong(const char *why)
{
	return (struct ini_line){.kind = INI_WRONG, .name = why};
}

/* Only a quote and the backslash can be escaped; before anything else a backslash is itself. */
static bool read_quoted(struct scan *s, char quote)
{
	for (s->at++; s->at < s->end && *s->at != quote; s->at++) {
		if (quote == '"' && *s->at == '\\' && s->at + 1 < s->end && strchr("\"\\'", s->at[1]) != NULL)
			s->at++;
		else if (quote == '"' && *s->at == '$' && s->at + 1 < s->end && s->at[1] == '{')
			s->line.asks_environment = true;
		s->value[s->value_len++] = *s->at;
	}
	if (s->at == s->end)
		return false;
	s->at++;
	s->quoted = true;
	return true;
}

static void read_plain(struct scan *s)
{
	const char *from = s->at, *to;

	for (; !at_end(s) && *s->at != '"' && *s->at != '\''; s->at++) {
		if (*s->at == '$' && s->at + 1 < s->end && s->at[1] == '{')
			s->line.asks_environment = true;
		else if (strchr("|&^~!()", *s->at) != NULL)
			s->line.computed = true;
	}
	/* Blanks between pieces stay, those before a comment or at the end do not. */
	for (to = s->at; at_end(s) && to > from && is_blank(to[-1]);)
		to--;
	memcpy(s->value + s->value_len, from, (size_t)(to - from));
	s->value_len += (size_t)(to - from);
}

/* A bare word that PHP reads as a truth value. */
static const char *truth(const char *value)
{
	static const struct {
		const char *word, *value;
	} words[] = {{"on", "1"}, {"yes", "1"}, {"true", "1"}, {"off", ""}, {"no", ""}, {"false", ""}, {"none", ""}, {"null", ""}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(value, words[i].word) == 0)
			return words[i].value;
	return value;
}

static struct ini_line read_value(struct scan *s, struct keep *k)
{
	const char *from;

	skip_blanks(s);
	from = s->at;
	s->value = keep_alloc(k, (size_t)(s->end - from) + 1);
	if (s->value == NULL)
		return wrong("out of memory");
	while (!at_end(s)) {
		if (*s->at != '"' && *s->at != '\'')
			read_plain(s);
		else if (!read_quoted(s, *s->at))
			return wrong("a quoted value that does not end in its line");
	}
	s->line.kind = INI_ENTRY;
	s->line.raw = trimmed(k, from, s->at);
	s->line.value = s->quoted ? s->value : truth(s->value);
	return s->line;
}

static struct ini_line read_section(struct scan *s, struct keep *k)
{
	const char *from = ++s->at;

	while (s->at < s->end && *s->at != ']')
		s->at++;
	if (s->at == s->end)
		return wrong("a section without its ]");
	s->line.kind = INI_SECTION;
	s->line.name = trimmed(k, from, s->at);
	if (s->line.name[0] == '\0')
		return wrong("a section without a name");
	return s->line;
}

/* name or name[index], up to the = */
static struct ini_line read_entry(struct scan *s, struct keep *k)
{
	const char *from = s->at, *open;

	while (!at_end(s) && *s->at != '=')
		s->at++;
	if (at_end(s))
		return wrong("neither [section] nor name = value");
	open = memchr(from, '[', (size_t)(s->at - from));
	if (open != NULL) {
		const char *close = memchr(open, ']', (size_t)(s->at - open));

		if (close == NULL)
			return wrong("an index without its ]");
		s->line.index = trimmed(k, open + 1, close);
	}
	s->line.name = trimmed(k, from, open != NULL ? open : s->at);
	if (s->line.name[0] == '\0')
		return wrong("a value without a name");
	s->at++;
	return read_value(s, k);
}

struct ini_line ini_read(struct keep *k, const char *line, size_t len)
{
	struct scan s = {.at = line, .end = line + len};
	struct ini_line read = {.kind = INI_NOTHING};

	if (memchr(line, '\0', len) != NULL)
		return wrong("a NUL byte");
	skip_blanks(&s);
	if (!at_end(&s))
		read = *s.at == '[' ? read_section(&s, k) : read_entry(&s, k);
	return read;
}
