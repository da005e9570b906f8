/* Text from elsewhere, made fit for a terminal (runs in a frontend or in the command line). */
#include "fcgipm/client/term.h"

#include <stdint.h>
#include <string.h>
#include <wchar.h>

/* The length that a first byte announces; 0: it begins nothing. */
static size_t announced(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc0 || first >= 0xf8)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* The length of the UTF-8 sequence at s (RFC 3629: shortest form, no surrogates), its code in *ret; 0: there is none.
 */
static size_t utf8(const uint8_t *s, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = announced(s[0]);
	uint32_t code = len <= 1 ? s[0] : s[0] & (0xffu >> (len + 1));

	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (len == 0 || code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	*ret = code;
	return len;
}

static bool steers(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

void term_add(struct fp_doc *d, const char *text, bool lines)
{
	const uint8_t *s = (const uint8_t *)text;
	size_t plain = 0;

	while (s[plain] != '\0') {
		uint32_t code = 0;
		size_t len = utf8(s + plain, &code);

		if (len > 0 && (!steers(code) || (lines && (code == '\n' || code == '\t')))) {
			plain += len;
			continue;
		}
		fp_doc_add(d, "%.*s", (int)plain, (const char *)s);
		s += plain;
		plain = 0;
		for (len = len > 0 ? len : 1; len > 0; len--)
			fp_doc_add(d, "\\x%02x", *s++);
	}
	fp_doc_add(d, "%s", (const char *)s);
}

/* One character's columns, its bytes in *ret_len. */
static size_t character(const char *at, size_t *ret_len)
{
	uint32_t code = 0;
	size_t len = utf8((const uint8_t *)at, &code);
	int columns = len > 1 ? wcwidth((wchar_t)code) : 1;

	*ret_len = len > 0 ? len : 1;
	return columns < 0 ? 1 : (size_t)columns;
}

size_t term_columns(const char *line)
{
	size_t sum = 0, len;

	for (; *line != '\0'; line += len)
		sum += character(line, &len);
	return sum;
}

/* Where a line goes on after so many columns, or fewer where a wide character stands across them. */
static const char *after(const char *line, size_t columns)
{
	size_t sum = 0, len;

	for (; *line != '\0'; line += len) {
		sum += character(line, &len);
		if (sum > columns)
			break;
	}
	return line;
}

void term_fit(struct fp_doc *d, const char *line, size_t columns, size_t tail)
{
	size_t all = term_columns(line);
	const char *rest;

	if (all <= columns) {
		fp_doc_add(d, "%s", line);
		return;
	}
	if (columns == 0)
		return;
	tail = tail < columns ? tail : columns - 1;
	rest = after(line, all - tail);
	for (size_t len; term_columns(rest) > tail; rest += len) /* a wide character stands across the cut */
		(void)character(rest, &len);
	fp_doc_add(d, "%.*s~%s", (int)(after(line, columns - 1 - tail) - line), line, rest);
}
