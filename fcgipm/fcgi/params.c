/* Name-value pairs (command line, web server modules).  Pure.  The lengths come from a stranger: they are held against the buffer before a byte is
 * collected. */
#include "fcgipm/fcgi/params.h"

#include <errno.h>
#include <string.h>

enum { LENGTHS_MAX = 8 };

bool fcgi_pair_fits(const struct fcgi_pair *p)
{
	return p->name_len <= FCGI_PAIR_LENGTH_MAX && p->value_len <= FCGI_PAIR_LENGTH_MAX;
}

static size_t put_length(uint8_t *out, size_t len)
{
	if (len < 0x80) {
		out[0] = (uint8_t)len;
		return 1;
	}
	out[0] = (uint8_t)(len >> 24 | 0x80);
	out[1] = (uint8_t)(len >> 16);
	out[2] = (uint8_t)(len >> 8);
	out[3] = (uint8_t)len;
	return 4;
}

static size_t put_lengths(uint8_t out[LENGTHS_MAX], const struct fcgi_pair *p)
{
	size_t n = put_length(out, p->name_len);

	return n + put_length(out + n, p->value_len);
}

uint64_t fcgi_pair_size(const struct fcgi_pair *p)
{
	uint8_t lengths[LENGTHS_MAX];

	return (uint64_t)put_lengths(lengths, p) + p->name_len + p->value_len;
}

size_t fcgi_pair_copy(const struct fcgi_pair *p, uint64_t offset, uint8_t *out, size_t cap)
{
	uint8_t lengths[LENGTHS_MAX];
	const struct {
		const void *at;
		size_t len;
	} parts[] = {{lengths, put_lengths(lengths, p)}, {p->name, p->name_len}, {p->value, p->value_len}};
	size_t done = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t skip = offset < parts[i].len ? (size_t)offset : parts[i].len;
		size_t n = parts[i].len - skip;

		offset -= skip;
		if (n > cap - done)
			n = cap - done;
		if (n > 0)
			memcpy(out + done, (const uint8_t *)parts[i].at + skip, n);
		done += n;
	}
	return done;
}

/* Bytes of the length at the front of in, of which there may be none yet. */
static size_t length_size(const uint8_t *in, size_t have)
{
	return have > 0 && (in[0] & 0x80) != 0 ? 4 : 1;
}

static uint32_t get_length(const uint8_t *in)
{
	if ((in[0] & 0x80) == 0)
		return in[0];
	return (uint32_t)(in[0] & 0x7f) << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

/* How many bytes both lengths take, as far as can be said yet. */
static size_t lengths_size(const struct fcgi_params_reader *r)
{
	size_t first = length_size(r->lengths, r->lengths_have);

	return first + (r->lengths_have > first ? length_size(r->lengths + first, 1) : 1);
}

/* Takes one byte of the lengths; when they are complete, looks whether the pair has room. */
static void take_length(struct fcgi_params_reader *r, uint8_t byte)
{
	size_t first;

	r->lengths[r->lengths_have++] = byte;
	if (r->lengths_have < lengths_size(r))
		return;
	first = length_size(r->lengths, 1);
	r->name_len = get_length(r->lengths);
	r->value_len = get_length(r->lengths + first);
	if ((uint64_t)r->name_len + r->value_len + 2 > r->cap)
		r->failed = -EMSGSIZE;
}

/* Bytes go behind each other, with room for the name's NUL between. */
static size_t take_bytes(struct fcgi_params_reader *r, const uint8_t *in, size_t len)
{
	bool in_name = r->have < r->name_len;
	size_t end = in_name ? r->name_len : (size_t)r->name_len + r->value_len;
	size_t n = end - r->have < len ? end - r->have : len;

	if (n > 0)
		memcpy(r->buf + r->have + (in_name ? 0 : 1), in, n);
	r->have += n;
	return n;
}

static void finish_pair(struct fcgi_params_reader *r, struct fcgi_pair *ret)
{
	r->buf[r->name_len] = '\0';
	r->buf[(size_t)r->name_len + 1 + r->value_len] = '\0';
	*ret = (struct fcgi_pair){r->buf, r->name_len, r->buf + r->name_len + 1, r->value_len};
	r->have = 0;
	r->lengths_have = 0;
}

size_t fcgi_params_read(struct fcgi_params_reader *r, const uint8_t *in, size_t len, struct fcgi_pair *ret)
{
	size_t used = 0;

	*ret = (struct fcgi_pair){.name = NULL};
	while (used < len && ret->name == NULL) {
		if (r->failed < 0)
			return len;
		if (r->lengths_have < lengths_size(r))
			take_length(r, in[used++]);
		else
			used += take_bytes(r, in + used, len - used);
		if (r->lengths_have == lengths_size(r) && r->have == (size_t)r->name_len + r->value_len)
			finish_pair(r, ret);
	}
	return used;
}

int fcgi_params_end(const struct fcgi_params_reader *r)
{
	if (r->failed < 0)
		return r->failed;
	return r->lengths_have > 0 ? -EPROTO : 0;
}
