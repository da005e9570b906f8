/* Numbers and texts in buffers (every process).  Pure, bounds-checked: reading never goes past len, whatever the bytes say. */
#include "fcgipm/wire/cursor.h"

#include <string.h>

static void put_bytes(struct wire_wr *w, const void *bytes, size_t len)
{
	if (w->bad || len > w->cap - w->len) {
		w->bad = true;
		return;
	}
	if (len > 0)
		memcpy(w->at + w->len, bytes, len);
	w->len += len;
}

static void put_number(struct wire_wr *w, uint64_t v, size_t size)
{
	uint8_t b[8];

	for (size_t i = 0; i < size; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	put_bytes(w, b, size);
}

void wire_put_u8(struct wire_wr *w, uint8_t v)
{
	put_number(w, v, 1);
}

void wire_put_u16(struct wire_wr *w, uint16_t v)
{
	put_number(w, v, 2);
}

void wire_put_u32(struct wire_wr *w, uint32_t v)
{
	put_number(w, v, 4);
}

void wire_put_u64(struct wire_wr *w, uint64_t v)
{
	put_number(w, v, 8);
}

void wire_put_i32(struct wire_wr *w, int32_t v)
{
	put_number(w, (uint32_t)v, 4);
}

void wire_put_i64(struct wire_wr *w, int64_t v)
{
	put_number(w, (uint64_t)v, 8);
}

void wire_put_blob(struct wire_wr *w, struct wire_blob v)
{
	if (v.len > UINT32_MAX) {
		w->bad = true;
		return;
	}
	wire_put_u32(w, (uint32_t)v.len);
	put_bytes(w, v.at, v.len);
}

void wire_put_str(struct wire_wr *w, const char *text)
{
	size_t len = text != NULL ? strlen(text) : 0;

	wire_put_blob(w, (struct wire_blob){(const uint8_t *)text, len});
	wire_put_u8(w, 0);
}

static const uint8_t *get_bytes(struct wire_rd *r, size_t len)
{
	const uint8_t *at;

	if (r->bad || len > r->len - r->pos) {
		r->bad = true;
		return NULL;
	}
	at = r->at + r->pos;
	r->pos += len;
	return at;
}

static uint64_t get_number(struct wire_rd *r, size_t size)
{
	const uint8_t *b = get_bytes(r, size);
	uint64_t v = 0;

	for (size_t i = 0; b != NULL && i < size; i++)
		v |= (uint64_t)b[i] << (8 * i);
	return v;
}

uint8_t wire_get_u8(struct wire_rd *r)
{
	return (uint8_t)get_number(r, 1);
}

uint16_t wire_get_u16(struct wire_rd *r)
{
	return (uint16_t)get_number(r, 2);
}

uint32_t wire_get_u32(struct wire_rd *r)
{
	return (uint32_t)get_number(r, 4);
}

uint64_t wire_get_u64(struct wire_rd *r)
{
	return get_number(r, 8);
}

int32_t wire_get_i32(struct wire_rd *r)
{
	return (int32_t)(uint32_t)get_number(r, 4);
}

int64_t wire_get_i64(struct wire_rd *r)
{
	return (int64_t)get_number(r, 8);
}

struct wire_blob wire_get_blob(struct wire_rd *r)
{
	uint32_t len = wire_get_u32(r);
	const uint8_t *at = get_bytes(r, len);

	return (struct wire_blob){at, at != NULL ? len : 0};
}

const char *wire_get_str(struct wire_rd *r)
{
	struct wire_blob b = wire_get_blob(r);
	uint8_t end = wire_get_u8(r);

	if (r->bad || end != 0 || memchr(b.at, '\0', b.len) != NULL) {
		r->bad = true;
		return "";
	}
	return (const char *)b.at;
}

uint32_t wire_get_count(struct wire_rd *r, size_t least_bytes)
{
	uint32_t n = wire_get_u32(r);

	if (r->bad || (least_bytes > 0 && n > (r->len - r->pos) / least_bytes)) {
		r->bad = true;
		return 0;
	}
	return n;
}

bool wire_done(const struct wire_rd *r)
{
	return !r->bad && r->pos == r->len;
}
