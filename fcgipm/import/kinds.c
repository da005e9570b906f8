/* What can be imported (command line). */
#include "fcgipm/import/import.h"

#include "fcgipm/import/fcgid.h"
#include "fcgipm/import/fpm.h"
#include "fcgipm/import/spawn.h"

static int php_fpm(const struct import_system *system, const struct import_source *source, struct import_result *ret)
{
	struct fpm f = {.system = system, .source = source, .global = {.table = &fpm_global_table, .name = "global"}};

	draft_init(&f.draft);
	for (size_t i = 0; i < source->count; i++)
		fpm_read(&f, source->words[i]);
	fpm_carry(&f);
	return draft_finish(&f.draft, "php-fpm", ret);
}

static int mod_fcgid(const struct import_system *system, const struct import_source *source, struct import_result *ret)
{
	struct fcgid f = {.system = system, .root = "/etc/apache2"};

	draft_init(&f.draft);
	f.last_server = &f.main;
	for (size_t i = 0; i < source->count; i++)
		fcgid_read(&f, source->words[i]);
	fcgid_carry(&f);
	return draft_finish(&f.draft, "mod-fcgid", ret);
}

static int spawn_fcgi(const struct import_system *system, const struct import_source *source, struct import_result *ret)
{
	struct draft d;

	draft_init(&d);
	spawn_carry(&d, system, source->words, source->count);
	return draft_finish(&d, "spawn-fcgi", ret);
}

const struct import_kind import_kinds[] = {
	{"php-fpm", php_fpm},
	{"mod-fcgid", mod_fcgid},
	{"spawn-fcgi", spawn_fcgi},
	{NULL, NULL},
};
