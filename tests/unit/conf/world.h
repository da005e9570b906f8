/* A few accounts and a world around one configuration: for the tests of conf and its fuzz target. */
#ifndef TESTS_UNIT_CONF_WORLD_H
#define TESTS_UNIT_CONF_WORLD_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/conf/judge.h"

static const struct conf_account world_users[] = {
	{.name = "root", .id = 0, .gid = 0},
	{.name = "www-data", .id = 33, .gid = 33},
	{.name = "alice", .id = 1000, .gid = 1000},
	{.name = "bob", .id = 1001, .gid = 1001},
	{.name = "carol", .id = 1002, .gid = 0},
	{.name = "fcgipm", .id = 990, .gid = 990},
	{.name = "fcgipm-conf", .id = 991, .gid = 991},
};
static const struct conf_account world_groups[] = {
	{.name = "root", .id = 0},   {.name = "adm", .id = 4},      {.name = "www-data", .id = 33},     {.name = "alice", .id = 1000},
	{.name = "bob", .id = 1001}, {.name = "fcgipm", .id = 990}, {.name = "fcgipm-conf", .id = 991}, {.name = "hosting", .id = 2000},
};

static int world_find(const struct conf_account *rows, size_t count, const char *name, uint32_t id, struct conf_account *ret)
{
	for (size_t i = 0; i < count; i++) {
		if (name != NULL ? strcmp(rows[i].name, name) != 0 : rows[i].id != id)
			continue;
		*ret = rows[i];
		return 0;
	}
	return -ENOENT;
}

static int world_user(void *ctx, const char *name, struct conf_account *ret)
{
	(void)ctx;
	return world_find(world_users, sizeof(world_users) / sizeof(world_users[0]), name, 0, ret);
}

static int world_uid(void *ctx, uint32_t uid, struct conf_account *ret)
{
	(void)ctx;
	return world_find(world_users, sizeof(world_users) / sizeof(world_users[0]), NULL, uid, ret);
}

static int world_group(void *ctx, const char *name, struct conf_account *ret)
{
	(void)ctx;
	return world_find(world_groups, sizeof(world_groups) / sizeof(world_groups[0]), name, 0, ret);
}

static int world_gid(void *ctx, uint32_t gid, struct conf_account *ret)
{
	(void)ctx;
	return world_find(world_groups, sizeof(world_groups) / sizeof(world_groups[0]), NULL, gid, ret);
}

static char *world_environment[] = {(char[]){"TZ=Europe/Berlin"}, (char[]){"SECRET=x"}, NULL};

static inline struct conf_world world_of_root(void)
{
	return (struct conf_world){
		.conf_uid = 991,
		.conf_gid = 991,
		.somaxconn = 4096,
		.runtime = "/run/fcgipm",
		.environment = world_environment,
		.accounts = {world_user, world_uid, world_group, world_gid, NULL},
	};
}

static inline struct conf_world world_of_bob(void)
{
	struct conf_world w = world_of_root();

	w.ordinary = true;
	w.uid = w.gid = w.conf_uid = w.conf_gid = 1001;
	w.runtime = "/run/user/1001/fcgipm";
	return w;
}

/* One configuration, judged. */
struct judged {
	struct conf_world world;
	struct conf_report *report;
	struct conf_job *job;
	struct fp_doc text;
	uint32_t errors, warnings;
};

static inline void judged_begin(struct judged *g, struct conf_world world)
{
	*g = (struct judged){.world = world, .report = conf_report_new()};
	g->job = conf_job_new(&g->world, g->report);
	g->job->want_dump = true;
}

static inline void judged_end(struct judged *g)
{
	conf_job_judge(g->job);
	conf_report_print(g->report, &g->text, &g->errors, &g->warnings);
}

static inline void judged_free(struct judged *g)
{
	fp_doc_fini(&g->text);
	conf_job_free(g->job);
	conf_report_free(g->report);
}

/* No file is included: only what stands under include: is judged. */
static inline void world_include(void *ctx, struct spec_place place, const char *pattern)
{
	(void)ctx, (void)place, (void)pattern;
}

static inline void judge_text(struct judged *g, struct conf_world world, const char *yaml, size_t len)
{
	judged_begin(g, world);
	conf_job_add(g->job, "p.yaml", yaml, len);
	conf_job_includes(g->job, world_include, NULL);
	judged_end(g);
}

#endif
