/* Bounds-checked writing and reading of numbers and texts, little-endian.  A cursor that once failed stays failed, so that a
 * caller checks once, at the end. */
#ifndef FCGIPM_WIRE_CURSOR_H
#define FCGIPM_WIRE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_blob {
	const uint8_t *at;
	size_t len;
};

struct wire_wr {
	uint8_t *at;
	size_t cap, len;
	bool bad; /* something did not fit */
};

struct wire_rd {
	const uint8_t *at;
	size_t len, pos;
	bool bad; /* truncated or malformed */
};

void wire_put_u8(struct wire_wr *w, uint8_t v);
void wire_put_u16(struct wire_wr *w, uint16_t v);
void wire_put_u32(struct wire_wr *w, uint32_t v);
void wire_put_u64(struct wire_wr *w, uint64_t v);
void wire_put_i32(struct wire_wr *w, int32_t v);
void wire_put_i64(struct wire_wr *w, int64_t v);
void wire_put_str(struct wire_wr *w, const char *text); /* u32 length, bytes, NUL; NULL is written as "" */
void wire_put_blob(struct wire_wr *w, struct wire_blob v); /* u32 length, bytes */

uint8_t wire_get_u8(struct wire_rd *r);
uint16_t wire_get_u16(struct wire_rd *r);
uint32_t wire_get_u32(struct wire_rd *r);
uint64_t wire_get_u64(struct wire_rd *r);
int32_t wire_get_i32(struct wire_rd *r);
int64_t wire_get_i64(struct wire_rd *r);
/* Points into the buffer read, lives as long as that.  An inner NUL or a missing last one is malformed; a bad read gives "". */
const char *wire_get_str(struct wire_rd *r);
struct wire_blob wire_get_blob(struct wire_rd *r);

/* A count that is followed by elements of at least least_bytes each: refused when the rest cannot hold them. */
uint32_t wire_get_count(struct wire_rd *r, size_t least_bytes);

/* True when all was read, and read well. */
bool wire_done(const struct wire_rd *r);

#endif
