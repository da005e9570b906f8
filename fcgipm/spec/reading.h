/* What the readers and writers of pools' and profiles' specs share; for this folder alone. */
#ifndef FCGIPM_SPEC_READING_H
#define FCGIPM_SPEC_READING_H

#include "fcgipm/spec/spec.h"

enum { SPEC_STRING_MAX = 128 << 10, SPEC_ENVIRONMENT_MAX = 4096, SPEC_UMASK_MAX = 0777 };
#define SPEC_TIMEOUT_MAX_MS (366ULL * 24 * 3600 * 1000)

/* The state of a reading: the first thing that is wrong stays.  Behind it the bytes may be out of step, and what they end with says nothing. */
struct spec_reading {
	struct wire_rd rd;
	const char *wrong;
};

/* what: a literal. */
void spec_demand(struct spec_reading *in, bool holds, const char *what);
uint32_t spec_get_u32(struct spec_reading *in, uint32_t least, uint32_t greatest, const char *what);
int32_t spec_get_i32(struct spec_reading *in, int32_t least, int32_t greatest, const char *what);
uint8_t spec_get_u8(struct spec_reading *in, uint8_t greatest, const char *what);
const char *spec_get_text(struct spec_reading *in, size_t most, const char *what);

/* A list of texts is read twice: to know that it is whole and how many there are, then into the place made for it, of one pointer more than that. */
uint32_t spec_skip_texts(struct spec_reading *in, uint32_t greatest, const char *what);
void spec_fill_texts(struct wire_rd rd, const char **to);
void spec_put_texts(struct wire_wr *w, const char **texts);

#endif
