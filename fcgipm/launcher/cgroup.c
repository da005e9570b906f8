/* Cgroups of runs (launcher process).  Files of the kernel's, below our own cgroup; nobody else's are touched. */
#include "fcgipm/launcher/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"

#define OURS "fcgipm-exec-"

enum { SWEPT = 4, BUSY_MAX = 4096 };

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

static void write_one(int dir, const char *name)
{
	fp_autoclose int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) != 1)
		log_warn("exec.left_behind", KI("errno", errno));
}

/* Ends whoever is in the cgroups below, and removes them: now, or when the next start comes by. */
static void remove_below(int parent, const char *name)
{
	fp_autoclose int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	if (d == NULL)
		return;
	(void)FP_TAKE_FD(fd); /* closedir() closes it */
	write_one(dirfd(d), "cgroup.kill");
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9')
			unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	closedir(d);
	unlinkat(parent, name, AT_REMOVEDIR);
}

/* fcgipm-exec-PID of a launcher that is no more (in a container it may have had our own number). */
static void remove_stale(const char *parent)
{
	DIR *d = opendir(parent);
	int pid;

	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		if (sscanf(e->d_name, OURS "%d", &pid) == 1 && (pid == getpid() || (kill(pid, 0) < 0 && errno == ESRCH)))
			remove_below(dirfd(d), e->d_name);
	if (d != NULL)
		closedir(d);
}

void cgroups_open(struct cgroups *all)
{
	char mount[2048], own[2048], parent[4200];

	all->dir = -1;
	all->busy_last = &all->busy;
	if (find_mount(mount, sizeof(mount)) && find_own(own, sizeof(own))) {
		snprintf(parent, sizeof(parent), "%s%s", mount, strcmp(own, "/") == 0 ? "" : own);
		remove_stale(parent);
		if (asprintf(&all->path, "%s/" OURS "%d", parent, (int)getpid()) < 0)
			all->path = NULL;
	}
	if (all->path != NULL && (mkdir(all->path, 0755) == 0 || errno == EEXIST))
		all->dir = open(all->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (all->dir >= 0)
		return;
	log_info("exec.without_cgroups", KS("path", all->path != NULL ? all->path : ""), KI("errno", errno));
	free(all->path);
	all->path = NULL;
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
	if (mkdirat(all->dir, name, 0755) == 0)
		g->dir = openat(all->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->dir >= 0 && faccessat(g->dir, "cgroup.kill", F_OK, 0) == 0) /* Linux 5.14 */
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

static void add_busy(struct cgroups *all, struct cgroup *g)
{
	g->next = NULL;
	*all->busy_last = g;
	all->busy_last = &g->next;
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

/* Some of those that were not empty: the rest another time. */
static void sweep(struct cgroups *all)
{
	for (unsigned i = 0; i < SWEPT && all->busy != NULL; i++) {
		struct cgroup *g = all->busy;

		all->busy = g->next;
		if (all->busy == NULL)
			all->busy_last = &all->busy;
		if (remove_one(all, g))
			all->busy_count--;
		else
			add_busy(all, g);
	}
}

struct cgroup *cgroup_take(struct cgroups *all)
{
	struct cgroup *g;

	if (all->path == NULL)
		return NULL;
	sweep(all);
	if (all->busy_count >= BUSY_MAX)
		return NULL;
	g = all->free;
	if (g == NULL)
		return cgroup_make(all);
	all->free = g->next;
	return g;
}

bool cgroup_return(struct cgroups *all, struct cgroup *g, bool kill)
{
	if (is_empty(g)) {
		g->next = all->free;
		all->free = g;
		return false;
	}
	if (kill)
		write_one(g->dir, "cgroup.kill");
	fp_close(&g->dir);
	fp_close(&g->procs);
	add_busy(all, g);
	all->busy_count++;
	return true;
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
	remove_list(all, &all->free);
	remove_list(all, &all->busy);
	rmdir(all->path); /* not from the root cgroup: the next start does */
	fp_close(&all->dir);
	free(all->path);
	*all = (struct cgroups){.path = NULL};
}
