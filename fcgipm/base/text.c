/* Bounded and growing texts (every process).  Pure. */
#include "fcgipm/base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fp_text_vadd(struct fp_text *t, const char *fmt, va_list ap)
{
	size_t room = t->cap - t->len;
	int n = vsnprintf(t->at + t->len, room, fmt, ap);

	if (n < 0)
		return;
	t->cut |= (size_t)n >= room;
	t->len += (size_t)n >= room ? room - 1 : (size_t)n;
}

void fp_text_add(struct fp_text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fp_text_vadd(t, fmt, ap);
	va_end(ap);
}

void fp_text_add_bytes(struct fp_text *t, const char *bytes, size_t len)
{
	size_t room = t->cap - t->len - 1;

	if (len > room) {
		t->cut = true;
		len = room;
	}
	memcpy(t->at + t->len, bytes, len);
	t->len += len;
	t->at[t->len] = '\0';
}

/* Length of the valid UTF-8 sequence at p (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF), 0 when there is none. */
static size_t utf8_len(const unsigned char *p, size_t left)
{
	static const struct {
		unsigned char low, high, second_low, second_high, len;
	} forms[] = {
		{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	if (p[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (p[0] < forms[i].low || p[0] > forms[i].high || forms[i].len > left)
			continue;
		if (p[1] < forms[i].second_low || p[1] > forms[i].second_high)
			return 0;
		for (size_t n = 2; n < forms[i].len; n++)
			if ((p[n] & 0xc0) != 0x80)
				return 0;
		return forms[i].len;
	}
	return 0;
}

/* The character of n bytes at p; of none that is valid, its first byte's value. */
static unsigned code_point(const unsigned char *p, size_t n)
{
	unsigned c = n < 2 ? p[0] : p[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3fu);
	return c;
}

/* Control characters, and what YAML reads as the end of a line or not at all: U+2028 and U+2029, U+FEFF, U+FFFE and U+FFFF. */
static bool must_escape(unsigned c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0xfffe || c == 0xffff;
}

/* One escaped character into buf (at most 7 bytes with NUL); returns how many bytes of p it stands for. */
static size_t escape_one(const unsigned char *p, size_t left, char *buf)
{
	static const char named[] = "\"\"\\\\\nn\tt\rr";
	size_t n = utf8_len(p, left);
	unsigned code = code_point(p, n);

	for (const char *c = named; *c != '\0'; c += 2) {
		if ((unsigned char)c[0] != p[0])
			continue;
		snprintf(buf, 8, "\\%c", c[1]);
		return 1;
	}
	if (n == 0 || must_escape(code)) {
		snprintf(buf, 8, "\\u%04x", code);
		return n == 0 ? 1 : n;
	}
	memcpy(buf, p, n);
	buf[n] = '\0';
	return n;
}

void fp_text_add_escaped(struct fp_text *t, const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	char one[8];

	while (len > 0 && !t->cut) {
		size_t n = escape_one(p, len, one);

		if (strlen(one) >= t->cap - t->len)
			t->cut = true; /* never half an escape */
		else
			fp_text_add_bytes(t, one, strlen(one));
		p += n;
		len -= n;
	}
}

void fp_text_wash(char *text, const char *keep)
{
	unsigned char *p = (unsigned char *)text;
	size_t n;

	for (size_t left = strlen(text); left > 0; left -= n, p += n) {
		size_t whole = utf8_len(p, left);

		n = whole == 0 ? 1 : whole;
		if ((whole == 0 || must_escape(code_point(p, whole))) && strchr(keep, *p) == NULL)
			memset(p, '?', n);
	}
}

static bool doc_room(struct fp_doc *d, size_t more)
{
	size_t cap = d->cap == 0 ? 256 : d->cap;
	char *grown;

	if (d->failed)
		return false;
	while (cap - d->len <= more)
		cap *= 2;
	if (cap == d->cap)
		return true;
	grown = realloc(d->at, cap);
	if (grown == NULL) {
		d->failed = true;
		return false;
	}
	d->at = grown;
	d->cap = cap;
	return true;
}

void fp_doc_add(struct fp_doc *d, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !doc_room(d, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(d->at + d->len, d->cap - d->len, fmt, ap);
	va_end(ap);
	d->len += (size_t)n;
}

void fp_doc_add_escaped(struct fp_doc *d, const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	char one[8];

	while (len > 0 && doc_room(d, sizeof(one))) {
		size_t n = escape_one(p, len, one);

		memcpy(d->at + d->len, one, strlen(one) + 1);
		d->len += strlen(one);
		p += n;
		len -= n;
	}
}

void fp_doc_fini(struct fp_doc *d)
{
	free(d->at);
	*d = (struct fp_doc){.at = NULL};
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: insert, delete, replace, swap of neighbours. */
unsigned fp_text_distance(const char *a, const char *b)
{
	enum { MOST = 64 };
	unsigned rows[3][MOST + 1];
	size_t la = strnlen(a, MOST), lb = strnlen(b, MOST);

	for (unsigned j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		unsigned *now = rows[i % 3], *before = rows[(i - 1) % 3], *earlier = rows[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned cost = a[i - 1] != b[j - 1];

			now[j] = least(least(before[j] + 1, now[j - 1] + 1), before[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], earlier[j - 2] + 1);
		}
	}
	return rows[la % 3][lb];
}
