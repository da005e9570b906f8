/* A 64-bit content hash (FNV-1a).  It tells a changed setting from an unchanged one and finds names in tables; it is no
 * defence against somebody who chooses the input, and nothing rests on it where that could be. */
#ifndef FCGIPM_BASE_HASH_H
#define FCGIPM_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define FP_HASH_INIT 0xcbf29ce484222325u
uint64_t fp_hash(uint64_t seed, const void *bytes, size_t len);
uint64_t fp_hash_str(uint64_t seed, const char *text); /* with its NUL, so that lists of texts do not run together */

#endif
