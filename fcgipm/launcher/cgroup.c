/* Cgroups of runs (launcher process).  Files of the kernel's, below our own cgroup; nobody else's are touched. */
#include "fcgipm/launcher/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"

/* ---- where ---- */

/* Where version 2 is mounted: "... MOUNTPOINT OPTIONS ... - cgroup2 ..." (proc_pid_mountinfo(5)). */
static bool find_mount(char *ret, size_t cap)
{
	char line[4096], point[2048];
	bool found = false;
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL)
		found = strstr(line, " - cgroup2 ") != NULL && sscanf(line, "%*s %*s %*s %*s %2047s", point) == 1 && strlen(point) < cap;
	if (f != NULL)
		fclose(f);
	if (found)
		memcpy(ret, point, strlen(point) + 1);
	return found;
}

/* Ours in it: "0::PATH" (cgroups(7)). */
static bool find_own(char *ret, size_t cap)
{
	char line[4096];
	bool found = false;
	FILE *f = fopen("/proc/self/cgroup", "re");

	while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		found = strncmp(line, "0::/", 4) == 0 && strlen(line + 3) < cap;
	}
	if (f != NULL)
		fclose(f);
	if (found)
		memcpy(ret, line + 3, strlen(line + 3) + 1);
	return found;
}

static void open_base(struct cgroups *all)
{
	char mount[2048], own[2048];

	all->dir = -1;
	all->path = NULL;
	if (find_mount(mount, sizeof(mount)) && find_own(own, sizeof(own)) &&
	    asprintf(&all->path, "%s%s/fcgipm-exec-%d", mount, strcmp(own, "/") == 0 ? "" : own, (int)getpid()) < 0)
		all->path = NULL;
	if (all->path != NULL && (mkdir(all->path, 0755) == 0 || errno == EEXIST))
		all->dir = open(all->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (all->dir >= 0 && faccessat(all->dir, "cgroup.kill", F_OK, 0) < 0) /* before Linux 5.14 */
		fp_close(&all->dir);
	if (all->dir < 0)
		log_info("exec.without_cgroups", KS("path", all->path != NULL ? all->path : ""), KI("errno", errno));
	if (all->path == NULL)
		all->path = strdup("");
}

/* ---- one ---- */

static void cgroup_free(struct cgroup *g)
{
	fp_close(&g->dir);
	fp_close(&g->procs);
	free(g);
}

static struct cgroup *cgroup_make(struct cgroups *all)
{
	struct cgroup *g = malloc(sizeof(*g));
	char name[16];

	if (g == NULL)
		return NULL;
	*g = (struct cgroup){.dir = -1, .procs = -1, .number = all->made++};
	snprintf(name, sizeof(name), "%u", g->number);
	if (mkdirat(all->dir, name, 0755) == 0 || errno == EEXIST)
		g->dir = openat(all->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->dir >= 0)
		g->procs = openat(g->dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	if (g->procs >= 0)
		return g;
	cgroup_free(g);
	return NULL;
}

static bool is_empty(const struct cgroup *g)
{
	char c;

	return pread(g->procs, &c, 1, 0) == 0;
}

/* One that was killed is not used again: who is born into it would be killed too (docs/measured.md). */
static bool remove_one(struct cgroups *all, struct cgroup *g)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", g->number);
	if (unlinkat(all->dir, name, AT_REMOVEDIR) < 0 && errno == EBUSY)
		return false;
	cgroup_free(g);
	return true;
}

static void sweep(struct cgroups *all)
{
	for (struct cgroup **at = &all->busy; *at != NULL;) {
		struct cgroup *g = *at, *next = g->next;

		if (remove_one(all, g))
			*at = next;
		else
			at = &g->next;
	}
}

struct cgroup *cgroup_take(struct cgroups *all)
{
	struct cgroup *g;

	if (all->path == NULL)
		open_base(all);
	if (all->dir < 0)
		return NULL;
	sweep(all);
	g = all->free;
	if (g == NULL)
		return cgroup_make(all);
	all->free = g->next;
	return g;
}

bool cgroup_return(struct cgroups *all, struct cgroup *g, bool kill)
{
	bool empty = is_empty(g);

	if (!empty && kill) {
		fp_autoclose int fd = openat(g->dir, "cgroup.kill", O_WRONLY | O_CLOEXEC);

		if (fd < 0 || write(fd, "1", 1) != 1)
			log_warn("exec.left_behind", KI("errno", errno));
	}
	if (empty) {
		g->next = all->free;
		all->free = g;
	} else {
		g->next = all->busy;
		all->busy = g;
	}
	return !empty;
}

static void remove_list(struct cgroups *all, struct cgroup **list)
{
	while (*list != NULL) {
		struct cgroup *g = *list;

		*list = g->next;
		if (!remove_one(all, g))
			cgroup_free(g);
	}
}

void cgroups_close(struct cgroups *all)
{
	if (all->path == NULL)
		return;
	if (all->dir >= 0) {
		remove_list(all, &all->free);
		remove_list(all, &all->busy);
		rmdir(all->path);
	}
	fp_close(&all->dir);
	free(all->path);
	*all = (struct cgroups){.path = NULL};
}
