/* What a person must read about a failure, on the caller's stack.
 *
 * Leaf code returns 0 or -errno and never logs; the text travels in a last argument of this type.  The first
 * failure wins: once a text is there, later calls leave it alone, so callers may add context only by wrapping.
 */
#ifndef FCGIPM_BASE_ERR_H
#define FCGIPM_BASE_ERR_H

struct fp_err {
	int code; /* errno of the failure, 0 while there is none */
	char text[512]; /* NUL-terminated, cut if longer */
};

/* Records a failure and returns -errnum.  fmt is printf's; "%m" prints the text of errnum.  err may be NULL. */
int fp_fail(struct fp_err *err, int errnum, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts a prefix before the recorded text: "pool blog: " + text.  Returns -err->code; 0 without an err. */
int fp_fail_prefix(struct fp_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
