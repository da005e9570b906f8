/* Numbers and texts of a spec, each held against its bounds.  Runs in the launcher, as root, on bytes of a conf that may have been taken over. */
#include "fcgipm/spec/reading.h"

#include <string.h>

void spec_demand(struct spec_reading *in, bool holds, const char *what)
{
	if (!holds && in->wrong == NULL && !in->rd.bad)
		in->wrong = what;
}

uint32_t spec_get_u32(struct spec_reading *in, uint32_t least, uint32_t greatest, const char *what)
{
	uint32_t v = wire_get_u32(&in->rd);

	spec_demand(in, v >= least && v <= greatest, what);
	return v;
}

int32_t spec_get_i32(struct spec_reading *in, int32_t least, int32_t greatest, const char *what)
{
	int32_t v = wire_get_i32(&in->rd);

	spec_demand(in, v >= least && v <= greatest, what);
	return v;
}

uint8_t spec_get_u8(struct spec_reading *in, uint8_t greatest, const char *what)
{
	uint8_t v = wire_get_u8(&in->rd);

	spec_demand(in, v <= greatest, what);
	return v;
}

const char *spec_get_text(struct spec_reading *in, size_t most, const char *what)
{
	const char *text = wire_get_str(&in->rd);

	spec_demand(in, strlen(text) <= most, what);
	return text;
}

/* A length and a NUL: 5 bytes. */
uint32_t spec_skip_texts(struct spec_reading *in, uint32_t greatest, const char *what)
{
	uint32_t count = wire_get_count(&in->rd, 5);

	spec_demand(in, count <= greatest, what);
	for (uint32_t i = 0; i < count && !in->rd.bad && in->wrong == NULL; i++)
		(void)spec_get_text(in, SPEC_STRING_MAX, what);
	return count;
}

void spec_fill_texts(struct wire_rd rd, const char **to)
{
	uint32_t count = wire_get_u32(&rd);

	for (uint32_t i = 0; i < count; i++)
		to[i] = wire_get_str(&rd);
	to[count] = NULL;
}

void spec_put_texts(struct wire_wr *w, const char **texts)
{
	uint32_t count = 0;

	while (texts[count] != NULL)
		count++;
	wire_put_u32(w, count);
	for (uint32_t i = 0; i < count; i++)
		wire_put_str(w, texts[i]);
}
