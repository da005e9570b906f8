/* YAML bytes to settings and spec.  What is accepted must be whole: the spec decodes and stands above the floors, and its dump, read again, is accepted
 * and dumps as the same text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/conf/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_profiles(const struct spec_file *f, const struct spec_floors *floors)
{
	for (uint32_t i = 0; i < f->profile_count; i++) {
		struct spec_profile p;

		if (spec_profile_decode(f->profiles[i], &p, NULL) < 0 || spec_check_profile_floors(&p, floors, NULL) < 0)
			abort();
		spec_profile_free(&p);
	}
}

static void check_pools(const struct spec_file *f, const struct conf_world *w)
{
	const struct spec_floors floors = {
		.manager_uid = f->manager.uid,
		.manager_gid = f->manager.gid,
		.conf_uid = w->conf_uid,
		.conf_gid = w->conf_gid,
		.ordinary_uid = w->ordinary ? w->uid : UINT32_MAX,
		.runtime_directory = f->manager.runtime_directory,
	};

	check_profiles(f, &floors);
	for (uint32_t i = 0; i < f->pool_count; i++) {
		struct spec_pool p;
		struct pool_settings s;

		if (spec_pool_decode(f->pools[i].pool, &p, NULL) < 0 || spec_check_floors(&p, &floors, NULL) < 0)
			abort();
		spec_pool_free(&p);
		if (settings_pool_decode(f->pools[i].settings, &s, NULL) < 0)
			abort();
		settings_pool_free(&s);
	}
}

static void check_spec(struct judged *g)
{
	struct spec_file f;
	struct manager_settings m;
	void *bytes;
	size_t len;

	if (conf_job_spec(g->job, &bytes, &len) < 0)
		abort();
	if (spec_file_decode(bytes, len, &f, NULL) < 0 || settings_manager_decode(f.manager.settings, &m, NULL) < 0)
		abort();
	check_pools(&f, &g->world);
	settings_manager_free(&m);
	spec_file_free(&f);
	free(bytes);
}

static void dump(struct judged *g, struct fp_doc *d, const char *yaml, size_t len, bool ordinary)
{
	judged_begin(g, ordinary ? world_of_bob() : world_of_root());
	g->job->secrets = true;
	conf_job_add(g->job, "p.yaml", yaml, len);
	conf_job_includes(g->job, world_include, NULL);
	judged_end(g);
	if (g->errors == 0)
		conf_job_dump(g->job, d);
}

static void check_dump(const struct fp_doc *first, bool ordinary)
{
	struct fp_doc second = {0};
	struct judged g;

	dump(&g, &second, first->at, first->len, ordinary);
	if (g.errors > 0 || strcmp(first->at, second.at) != 0)
		abort();
	fp_doc_fini(&second);
	judged_free(&g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool ordinary = size > 0 && data[0] == '#';
	struct fp_doc d = {0};
	struct judged g;

	dump(&g, &d, (const char *)data, size, ordinary);
	if (g.errors == 0) {
		check_spec(&g);
		check_dump(&d, ordinary);
	}
	fp_doc_fini(&d);
	judged_free(&g);
	return 0;
}
