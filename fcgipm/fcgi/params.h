/* Name-value pairs (FastCGI specification 1.0, section 3.4): lengths of one byte below 128, else of four, the name, the value.  Pure. */
#ifndef FCGIPM_FCGI_PARAMS_H
#define FCGIPM_FCGI_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fcgi_pair {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

enum { FCGI_PAIR_LENGTH_MAX = 0x7fffffff }; /* of a name, and of a value */

/* Whether its lengths can be written at all. */
bool fcgi_pair_fits(const struct fcgi_pair *p);
/* Bytes of the pair as written. */
uint64_t fcgi_pair_size(const struct fcgi_pair *p);
/* Writes the pair's bytes from offset on, as many as cap allows; returns how many. */
size_t fcgi_pair_copy(const struct fcgi_pair *p, uint64_t offset, uint8_t *out, size_t cap);

/* Reads pairs from pieces of a stream.  A pair is collected in the caller's buffer; one that does not fit there ends the reading. */
struct fcgi_params_reader {
	char *buf;
	size_t cap;
	size_t have; /* bytes of this pair's name and value */
	uint8_t lengths[8]; /* as they come */
	uint8_t lengths_have;
	uint32_t name_len, value_len;
	int failed; /* -EMSGSIZE, for good */
};

/* cap: a pair's name and value and two NULs, at least 2. */
#define FCGI_PARAMS_READER(buffer, size) ((struct fcgi_params_reader){.buf = (buffer), .cap = (size)})

/* Takes bytes until a pair is complete or none is left; returns how many.  ret->name is NULL unless there is a pair: name and value are
 * NUL-terminated (and may hold NULs: look at the lengths), and live until the next call.  After a failure it takes everything. */
size_t fcgi_params_read(struct fcgi_params_reader *r, const uint8_t *in, size_t len, struct fcgi_pair *ret);
/* The stream has ended.  0, -EMSGSIZE: a pair did not fit, -EPROTO: within a pair. */
int fcgi_params_end(const struct fcgi_params_reader *r);

#endif
