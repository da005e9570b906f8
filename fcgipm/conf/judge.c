/* The judgement of a configuration as a whole (conf process): the top of each file, defaults, every pool, then what comes out: spec or dump. */
#include "fcgipm/conf/judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/log.h"
#include "fcgipm/conf/parts.h"

struct conf_job *conf_job_new(const struct conf_world *world, struct conf_report *report)
{
	struct conf_job *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	j->world = world;
	j->report = report;
	j->yaml = (struct conf_yaml){.arena = &j->arena, .report = report};
	return j;
}

void conf_job_free(struct conf_job *j)
{
	if (j == NULL)
		return;
	for (uint32_t i = 0; i < j->pool_count; i++)
		fp_doc_fini(&j->pools[i].dump);
	free(j->pools);
	for (uint32_t i = 0; i < j->profile_count; i++) {
		fp_doc_fini(&j->profiles[i].dump);
		free(j->profiles[i].clients.uids.ids);
		free(j->profiles[i].clients.gids.ids);
	}
	free(j->profiles);
	settings_manager_free(&j->manager);
	settings_pool_free(&j->defaults);
	fp_arena_fini(&j->arena);
	free(j);
}

bool conf_job_has_room(struct conf_job *j, uint64_t len)
{
	bool had = j->bytes <= CONF_TOTAL_MAX;

	j->bytes += len;
	if (j->bytes <= CONF_TOTAL_MAX)
		return true;
	if (had)
		conf_error(j->report, (struct spec_place){0, 1, 1}, "include: the files are too large together (%d MB at most)", CONF_TOTAL_MAX >> 20);
	return false;
}

int conf_job_add(struct conf_job *j, const char *name, const char *bytes, size_t len)
{
	int file = conf_report_file(j->report, name);

	if (file < 0)
		return -1;
	j->yaml.file = (uint32_t)file;
	if (len > CONF_FILE_MAX)
		conf_error(j->report, (struct spec_place){j->yaml.file, 1, 1}, "the file is too large (16 MB at most)");
	else
		j->roots[file] = conf_yaml_parse(&j->yaml, bytes, len);
	return file;
}

/* ---- the top of a file ---- */

enum { MAIN_ONLY = 1, LATER = 2 };
static const struct top {
	const char *key;
	int flags;
} tops[] = {{"manager", MAIN_ONLY}, {"defaults", MAIN_ONLY}, {"include", MAIN_ONLY}, {"pools", 0}, {"exec", 0}, {"templates", LATER}};
enum { TOPS = sizeof(tops) / sizeof(tops[0]) };

static void unknown_top(struct conf_job *j, const struct conf_node *n)
{
	const char *words[TOPS], *nearest;

	for (unsigned i = 0; i < TOPS; i++)
		words[i] = tops[i].key;
	nearest = conf_nearest(n->key, words, TOPS);
	if (nearest != NULL)
		conf_error(j->report, n->key_place, "%.64s: unknown key (did you mean \"%s\"?)", n->key, nearest);
	else
		conf_error(j->report, n->key_place, "%.64s: unknown key (manager, defaults, include, pools or exec)", n->key);
}

static void check_top(struct conf_job *j, const struct conf_node *n, bool main_file)
{
	const struct top *t = NULL;

	for (unsigned i = 0; i < TOPS && t == NULL; i++)
		if (strcmp(tops[i].key, n->key) == 0)
			t = &tops[i];
	if (t == NULL)
		unknown_top(j, n);
	else if (t->flags & LATER)
		conf_error(j->report, n->key_place, "%s: not possible yet (leave it out)", n->key);
	else if ((t->flags & MAIN_ONLY) && !main_file)
		conf_error(j->report, n->key_place, "%s: in an included file (it belongs into %s)", n->key, j->report->files[0]);
}

static const struct conf_node *child(const struct conf_node *map, const char *key)
{
	const struct conf_node *n = map != NULL && map->shape == CONF_MAP ? map->first : NULL;

	while (n != NULL && strcmp(n->key, key) != 0)
		n = n->next;
	return n;
}

static void check_file(struct conf_job *j, uint32_t file)
{
	const struct conf_node *root = j->roots[file];

	/* Most likely a file that is just being written: taken up, it would end every pool. */
	if (file == 0 && j->report->errors == 0 && (root == NULL || conf_node_is_empty(root)))
		conf_error(j->report, (struct spec_place){0, 1, 1}, "empty (pools: {} where none are meant)");
	if (root == NULL || conf_node_is_empty(root))
		return;
	if (root->shape != CONF_MAP) {
		conf_error(j->report, root->place, "not a mapping (manager:, pools: and so on)");
		return;
	}
	for (const struct conf_node *n = root->first; n != NULL; n = n->next)
		check_top(j, n, file == 0);
}

/* Each costs the launcher a look into a directory. */
enum { PATTERNS_MAX = 256 };

void conf_job_includes(struct conf_job *j, void (*each)(void *ctx, struct spec_place place, const char *pattern), void *ctx)
{
	const struct conf_node *include = child(j->roots[0], "include");
	unsigned count = 0;

	if (include == NULL || conf_node_is_empty(include))
		return;
	if (include->shape == CONF_MAP) {
		conf_error(j->report, include->place, "include: a mapping (a pattern, or a list of them)");
		return;
	}
	if (include->shape == CONF_SCALAR) {
		each(ctx, include->place, include->text);
		return;
	}
	for (const struct conf_node *n = include->first; n != NULL; n = n->next) {
		if (++count > PATTERNS_MAX) {
			conf_error(j->report, n->place, "include: too many patterns (%d at most, such as pools.d/*.yaml)", PATTERNS_MAX);
			return;
		}
		if (n->shape == CONF_SCALAR)
			each(ctx, n->place, n->text);
		else
			conf_error(j->report, n->place, "include: a list or mapping among the patterns (each is one value)");
	}
}

/* ---- pools ---- */

static void judge_defaults(struct conf_job *j)
{
	const struct conf_section s = {j->report, &settings_pool_table, &j->defaults, j->default_places, "defaults", j->default_nodes};
	const struct conf_node *node = child(j->roots[0], "defaults");

	settings_preset_all(&j->defaults, &settings_pool_table, NULL);
	if (node != NULL)
		conf_section_apply(&s, node);
}

static void refuse_name(struct conf_job *j, const struct conf_node *n)
{
	if (spec_name_ok(n->key))
		conf_error(j->report, n->key_place, "pools.%.130s: \"@\" is for pools that templates make (a-z, 0-9, \".\", \"_\", \"-\")", n->key);
	else
		conf_error(j->report, n->key_place,
			   "pools: \"%.64s\" is no name for a pool (a-z, 0-9, \".\", \"_\", \"-\", at most 63, a letter or digit first)", n->key);
}

static bool is_pool_name(const char *name)
{
	return spec_name_ok(name) && strchr(name, '@') == NULL;
}

static void take_pools(struct conf_job *j)
{
	static const struct conf_kind kind = {"pools", is_pool_name, refuse_name};
	struct conf_part *parts;
	uint32_t count = conf_parts_collect(j, &kind, &parts);

	j->pools = calloc((size_t)count + 1, sizeof(*j->pools));
	if (j->pools == NULL) {
		conf_error(j->report, (struct spec_place){0, 1, 1}, "out of memory");
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		j->pools[i] = (struct conf_pool){.name = parts[i].name, .node = parts[i].node};
	j->pool_count = count;
}

/* ---- profiles of the exec broker ---- */

static void refuse_profile_name(struct conf_job *j, const struct conf_node *n)
{
	if (strcmp(n->key, "local") == 0)
		conf_error(j->report, n->key_place, "exec.local: reserved: a web server that is told so runs the program itself (another name)");
	else
		conf_error(j->report, n->key_place,
			   "exec: \"%.64s\" is no name for a profile (a-z, 0-9, \".\", \"_\", \"-\", at most 63, a letter or digit first)", n->key);
}

static void take_profiles(struct conf_job *j)
{
	static const struct conf_kind kind = {"exec", spec_profile_name_ok, refuse_profile_name};
	struct conf_part *parts;
	uint32_t count = conf_parts_collect(j, &kind, &parts);

	j->profiles = calloc((size_t)count + 1, sizeof(*j->profiles));
	if (j->profiles == NULL) {
		conf_error(j->report, (struct spec_place){0, 1, 1}, "out of memory");
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		j->profiles[i] = (struct conf_profile){.name = parts[i].name, .node = parts[i].node};
	j->profile_count = count;
}

struct spec_floors conf_job_floors(const struct conf_job *j)
{
	return (struct spec_floors){
		.manager_uid = j->manager.uid,
		.manager_gid = j->manager.gid,
		.conf_uid = j->world->conf_uid,
		.conf_gid = j->world->conf_gid,
		.ordinary_uid = j->world->ordinary ? j->world->uid : UINT32_MAX,
		.runtime_directory = j->manager.runtime_directory,
	};
}

bool conf_is_own_user(const struct conf_job *j, uint32_t uid)
{
	return uid == j->manager.uid || uid == j->world->conf_uid;
}

bool conf_is_own_group(const struct conf_job *j, uint32_t gid)
{
	return gid == j->manager.gid || gid == j->world->conf_gid;
}

void conf_job_judge(struct conf_job *j)
{
	for (uint32_t i = 0; i < j->report->file_count; i++)
		check_file(j, i);
	conf_judge_manager(j, child(j->roots[0], "manager"));
	judge_defaults(j);
	take_profiles(j);
	for (uint32_t i = 0; i < j->profile_count; i++)
		conf_judge_profile(j, &j->profiles[i]);
	take_pools(j);
	for (uint32_t i = 0; i < j->pool_count; i++)
		conf_judge_pool(j, &j->pools[i]);
	conf_judge_together(j);
}

/* ---- what comes out ---- */

static size_t spec_len(const struct spec_file *f)
{
	size_t len = 1 << 16;

	len += f->manager.settings.len + strlen(f->manager.runtime_directory) + strlen(f->manager.log_target);
	for (uint32_t i = 0; i < f->file_count; i++)
		len += strlen(f->files[i]) + 5;
	for (uint32_t i = 0; i < f->pool_count; i++)
		len += strlen(f->pools[i].name) + f->pools[i].pool.len + f->pools[i].settings.len + 13 + sizeof(f->pools[i].places);
	for (uint32_t i = 0; i < f->profile_count; i++)
		len += f->profiles[i].len + 4;
	return len;
}

int conf_job_spec(struct conf_job *j, void **ret, size_t *ret_len)
{
	const struct manager_settings *m = &j->manager;
	struct spec_file f = {
		.manager = {.user = m->user_name,
			    .uid = m->uid,
			    .gid = m->gid,
			    .runtime_directory = m->runtime_directory,
			    .max_workers = m->max_workers,
			    .log_target = m->log_target,
			    .log_level = (uint8_t)fp_log_level_of(m->log_level),
			    .log_format = (uint8_t)fp_log_format_of(m->log_format),
			    .settings = j->manager_blob},
		.file_count = j->report->file_count,
		.files = j->report->files,
		.pool_count = j->pool_count,
		.pools = calloc(j->pool_count + 1, sizeof(struct spec_entry)),
		.profile_count = j->profile_count,
		.profiles = calloc(j->profile_count + 1, sizeof(struct wire_blob)),
	};
	struct wire_wr w = {0};

	for (uint32_t i = 0; i < j->pool_count && f.pools != NULL; i++)
		f.pools[i] = j->pools[i].entry;
	for (uint32_t i = 0; i < j->profile_count && f.profiles != NULL; i++)
		f.profiles[i] = j->profiles[i].blob;
	if (f.pools != NULL && f.profiles != NULL) {
		w.cap = spec_len(&f);
		w.at = malloc(w.cap);
	}
	if (w.at != NULL)
		spec_file_encode(&w, &f);
	free(f.pools);
	free(f.profiles);
	if (w.at == NULL || w.bad) {
		free(w.at);
		return w.at == NULL ? -ENOMEM : -E2BIG;
	}
	*ret = w.at;
	*ret_len = w.len;
	return 0;
}

void conf_job_dump(const struct conf_job *j, struct fp_doc *d)
{
	fp_doc_add(d, "manager:\n");
	settings_dump(d, &settings_manager_table, &j->manager, 2, j->secrets);
	fp_doc_add(d, j->pool_count > 0 ? "pools:\n" : "pools: {}\n");
	for (uint32_t i = 0; i < j->pool_count; i++)
		fp_doc_add(d, "  %s:\n%s", j->pools[i].name, j->pools[i].dump.at != NULL ? j->pools[i].dump.at : "");
	fp_doc_add(d, j->profile_count > 0 ? "exec:\n" : "exec: {}\n");
	for (uint32_t i = 0; i < j->profile_count; i++)
		fp_doc_add(d, "  %s:\n%s", j->profiles[i].name, j->profiles[i].dump.at != NULL ? j->profiles[i].dump.at : "");
}
