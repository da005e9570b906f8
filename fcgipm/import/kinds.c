/* What can be imported (command line). */
#include "fcgipm/import/import.h"

#include "fcgipm/import/fpm.h"

static int php_fpm(const struct import_system *system, const struct import_source *source, struct import_result *ret)
{
	struct fpm f = {.system = system, .source = source, .global = {.table = &fpm_global_table, .name = "global"}};

	draft_init(&f.draft);
	for (size_t i = 0; i < source->count; i++)
		fpm_read(&f, source->words[i]);
	fpm_carry(&f);
	return draft_finish(&f.draft, "php-fpm", ret);
}

const struct import_kind import_kinds[] = {
	{"php-fpm", php_fpm},
	{NULL, NULL},
};
