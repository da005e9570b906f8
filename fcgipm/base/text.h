/* Bounded text in a caller's buffer.  Never overflows, always NUL-terminated; what did not fit is remembered. */
#ifndef FCGIPM_BASE_TEXT_H
#define FCGIPM_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct fp_text {
	char *at; /* caller's buffer, NUL-terminated */
	size_t cap; /* its size, at least 1 */
	size_t len; /* bytes before the NUL */
	bool cut; /* something did not fit */
};

#define FP_TEXT(buf) ((struct fp_text){.at = (buf), .cap = sizeof(buf)})

void fp_text_add(struct fp_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void fp_text_vadd(struct fp_text *t, const char *fmt, va_list ap);
void fp_text_add_bytes(struct fp_text *t, const char *bytes, size_t len);

/* Adds bytes as a quoted logfmt/JSON string body: ", \ and control bytes as \" \\ \n \t \u00XX; bytes that are not
 * valid UTF-8 as \u00XX of their value (Latin-1); what YAML does not take as it is (U+2028, U+FEFF) as \uXXXX.  The surrounding quotes are the caller's. */
void fp_text_add_escaped(struct fp_text *t, const char *bytes, size_t len);

/* In place, for a terminal: control characters (C1 too) and bytes that are no UTF-8 become ?; the bytes in keep stay. */
void fp_text_wash(char *text, const char *keep);

/* A growing text on the heap for documents (status, dumps).  A failed allocation sets failed and drops the rest. */
struct fp_doc {
	char *at; /* NULL while empty, else NUL-terminated */
	size_t cap, len;
	bool failed;
};
void fp_doc_add(struct fp_doc *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void fp_doc_add_escaped(struct fp_doc *d, const char *bytes, size_t len);
void fp_doc_fini(struct fp_doc *d);

/* The edit distance (Damerau-Levenshtein, at most 64 bytes a word) for "did you mean". */
unsigned fp_text_distance(const char *a, const char *b);

#endif
