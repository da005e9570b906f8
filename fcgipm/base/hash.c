/* FNV-1a, 64 bits (every process).  Pure. */
#include "fcgipm/base/hash.h"

#include <string.h>

uint64_t fp_hash(uint64_t seed, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++)
		seed = (seed ^ p[i]) * 0x100000001b3u;
	return seed;
}

uint64_t fp_hash_str(uint64_t seed, const char *text)
{
	return fp_hash(seed, text, strlen(text) + 1);
}
