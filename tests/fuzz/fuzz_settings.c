/* A settings blob as the manager reads it: the launcher hands it on unread.  What decodes must come back the same from an encoding of it. */
#include <stdint.h>
#include <stdlib.h>

#include "fcgipm/settings/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t buf[1 << 20];

static void check_pool(struct wire_blob blob)
{
	struct pool_settings a, b;
	struct wire_wr w = {.at = buf, .cap = sizeof(buf)};

	if (settings_pool_decode(blob, &a, NULL) < 0)
		return;
	settings_pool_encode(&w, &a);
	if (w.bad || settings_pool_decode((struct wire_blob){buf, w.len}, &b, NULL) < 0)
		abort();
	if (settings_pool_compare(&a, &b, NULL) != SETTINGS_SAME)
		abort();
	settings_pool_free(&a);
	settings_pool_free(&b);
}

static void check_manager(struct wire_blob blob)
{
	struct manager_settings a, b;
	struct wire_wr w = {.at = buf, .cap = sizeof(buf)};

	if (settings_manager_decode(blob, &a, NULL) < 0)
		return;
	settings_manager_encode(&w, &a);
	if (w.bad || settings_manager_decode((struct wire_blob){buf, w.len}, &b, NULL) < 0)
		abort();
	if (settings_manager_compare(&a, &b, NULL) != SETTINGS_SAME)
		abort();
	settings_manager_free(&a);
	settings_manager_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_pool((struct wire_blob){data, size});
	check_manager((struct wire_blob){data, size});
	return 0;
}
