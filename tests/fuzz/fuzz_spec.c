/* A sealed spec as the launcher reads it.  What decodes must encode to the same bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/spec/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct spec_floors floors = {990, 990, 991, 991, UINT32_MAX, "/run/fcgipm"};

static void check_pool(struct wire_blob blob)
{
	struct spec_pool p;
	struct wire_wr w = {.cap = blob.len};

	if (spec_pool_decode(blob, &p, NULL) < 0)
		return;
	(void)spec_check_floors(&p, &floors, NULL);
	w.at = malloc(blob.len);
	spec_pool_encode(&w, &p);
	if (w.bad || w.len != blob.len || memcmp(w.at, blob.at, blob.len) != 0)
		abort();
	free(w.at);
	spec_pool_free(&p);
}

static void check_profile(struct wire_blob blob)
{
	struct spec_profile p;
	struct wire_wr w = {.cap = blob.len};

	if (spec_profile_decode(blob, &p, NULL) < 0)
		return;
	(void)spec_check_profile_floors(&p, &floors, NULL);
	w.at = malloc(blob.len);
	spec_profile_encode(&w, &p);
	if (w.bad || w.len != blob.len || memcmp(w.at, blob.at, blob.len) != 0)
		abort();
	free(w.at);
	spec_profile_free(&p);
}

static void check_file(const uint8_t *data, size_t size)
{
	struct spec_file f;
	struct wire_wr w = {.at = malloc(size + 1), .cap = size};

	if (spec_file_decode(data, size, &f, NULL) == 0) {
		spec_file_encode(&w, &f);
		if (w.bad || w.len != size || memcmp(w.at, data, size) != 0)
			abort();
		for (uint32_t i = 0; i < f.pool_count; i++)
			check_pool(f.pools[i].pool);
		for (uint32_t i = 0; i < f.profile_count; i++)
			check_profile(f.profiles[i]);
		spec_file_free(&f);
	}
	free(w.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_file(data, size);
	check_pool((struct wire_blob){data, size});
	check_profile((struct wire_blob){data, size});
	return 0;
}
