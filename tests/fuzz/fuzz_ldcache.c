/* Any bytes as /etc/ld.so.cache: which files stand for a name?  The first line of the input is the name. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/look/ldcache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);
	struct ldcache cache;
	char name[32] = "";
	const char *path;
	uint32_t pos = 0;

	if (end == NULL || (size_t)(end - data) >= sizeof(name))
		return 0;
	memcpy(name, data, (size_t)(end - data));
	end++;
	if (ldcache_open(end, size - (size_t)(end - data), &cache) < 0)
		return 0;
	while ((path = ldcache_next(&cache, name, &pos)) != NULL)
		if (memchr(path, '\0', (size_t)(cache.at + cache.len - path)) == NULL)
			abort();
	if (pos > cache.count)
		abort();
	return 0;
}
