/* What no spec may ask for, whoever wrote it.  Runs in the launcher, as root, before any of a spec is used, and again in conf so that the
 * administrator hears of it with line and column.  It must never call the system: what it says depends on the spec alone. */
#include "fcgipm/spec/spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NOBODY_AT_ALL UINT32_MAX /* (uid_t)-1: to setresuid and chown it means "leave as it is" */

static const char *own_account(const struct spec_pool *p, const struct spec_floors *f)
{
	if (p->uid == f->manager_uid || p->uid == f->conf_uid)
		return "fcgipm's own account";
	if (p->gid == f->manager_gid || p->gid == f->conf_gid)
		return "fcgipm's own group";
	for (uint32_t i = 0; i < p->group_count; i++)
		if (p->groups[i] == f->manager_gid || p->groups[i] == f->conf_gid)
			return "fcgipm's own group";
	return NULL;
}

static const char *below_ids(const struct spec_pool *p, const struct spec_floors *f)
{
	if (p->uid == 0)
		return "uid 0";
	if (p->gid == 0)
		return "gid 0";
	if (p->uid == NOBODY_AT_ALL || p->gid == NOBODY_AT_ALL)
		return "id -1";
	if (p->socket_uid == NOBODY_AT_ALL || p->socket_gid == NOBODY_AT_ALL)
		return "socket owner -1";
	for (uint32_t i = 0; i < p->group_count; i++) {
		if (p->groups[i] == 0)
			return "supplementary group 0";
		if (p->groups[i] == NOBODY_AT_ALL)
			return "supplementary group -1";
	}
	return own_account(p, f);
}

static const char *below_process(const struct spec_pool *p)
{
	if (p->argv[0] == NULL || p->argv[0][0] != '/')
		return "executable is not absolute";
	if (p->environment_file[0] != '\0' && !spec_path_ok(p->environment_file))
		return "environment_file is no absolute path";
	if (p->chroot[0] != '\0' && !spec_path_ok(p->chroot))
		return "chroot is no absolute path";
	if (!spec_path_ok(p->directory))
		return "directory is no absolute path";
	if ((p->capabilities & ~spec_capabilities_allowed) != 0)
		return "a capability that amounts to root";
	if (p->output == SPEC_OUTPUT_FILE && (!spec_path_ok(p->output_path) || p->output_path[1] == '\0'))
		return "output is no absolute path";
	return NULL;
}

/* Where below RUNTIME a pool's socket may be: its own name in private/, any plain name in pools/; never RUNTIME itself. */
static const char *below_runtime(const struct spec_pool *p, const char *runtime)
{
	char own[SPEC_UNIX_PATH_MAX + 1];
	size_t len = strlen(runtime);
	int n = snprintf(own, sizeof(own), "%s/private/%s.sock", runtime, p->name);
	bool is_own = n > 0 && (size_t)n < sizeof(own) && strcmp(own, p->address) == 0;
	const char *rest;

	if (p->private_socket)
		return is_own ? NULL : "private socket outside its place";
	if (strncmp(p->address, runtime, len) != 0 || (p->address[len] != '/' && p->address[len] != '\0'))
		return NULL;
	rest = p->address + len;
	if (strncmp(rest, "/pools/", 7) != 0 || strchr(rest + 7, '/') != NULL)
		return "address among fcgipm's own files";
	return NULL;
}

static const char *below_listen(const struct spec_pool *p, const struct spec_floors *f)
{
	struct spec_tcp tcp;

	if (p->listen == SPEC_LISTEN_TCP) {
		if (p->private_socket)
			return "private socket outside its place";
		return spec_tcp_parse(p->address, &tcp) == 0 ? NULL : "address is no host:port";
	}
	if (!spec_path_ok(p->address) || p->address[1] == '\0' || strlen(p->address) > SPEC_UNIX_PATH_MAX)
		return "address is no absolute path";
	return below_runtime(p, f->runtime_directory);
}

int spec_check_floors(const struct spec_pool *p, const struct spec_floors *f, struct fp_err *err)
{
	const char *floor = NULL;

	if (f->ordinary_uid == NOBODY_AT_ALL)
		floor = below_ids(p, f);
	else if (p->uid != f->ordinary_uid)
		floor = "another account than the ordinary user's";
	if (floor == NULL)
		floor = below_process(p);
	if (floor == NULL)
		floor = below_listen(p, f);
	return floor == NULL ? 0 : fp_fail(err, EPERM, "%s", floor);
}

/* ---- profiles of the exec broker ---- */

static bool is_own_group(uint32_t gid, const struct spec_floors *f)
{
	return gid == f->manager_gid || gid == f->conf_gid;
}

static const char *below_profile_groups(const struct spec_profile *p, const struct spec_floors *f)
{
	for (uint32_t i = 0; i < p->groups.count; i++) {
		if (p->groups.ids[i] == 0)
			return "group 0";
		if (p->groups.ids[i] == NOBODY_AT_ALL)
			return "id -1";
		if (is_own_group(p->groups.ids[i], f))
			return "fcgipm's own group";
	}
	return NULL;
}

static const char *below_profile_ids(const struct spec_profile *p, const struct spec_floors *f)
{
	if (p->owner) /* whose program it is shows only when it is there */
		return below_profile_groups(p, f);
	if (p->uid == 0)
		return "uid 0";
	if (p->gid == 0)
		return "gid 0";
	if (p->uid == NOBODY_AT_ALL || p->gid == NOBODY_AT_ALL)
		return "id -1";
	if (p->uid == f->manager_uid || p->uid == f->conf_uid)
		return "fcgipm's own account";
	return is_own_group(p->gid, f) ? "fcgipm's own group" : below_profile_groups(p, f);
}

static const char *below_roots(const struct spec_profile *p)
{
	if (p->roots[0] == NULL)
		return "no root";
	for (const char **root = p->roots; *root != NULL; root++) {
		if (strcmp(*root, "/") == 0)
			return "a root is /";
		if (!spec_root_ok(*root))
			return "a root is no absolute path";
	}
	return NULL;
}

/* What the dynamic loader obeys before the program's first instruction.  "L*" would let it through, too. */
static bool names_loader(const char *name)
{
	size_t len = strcspn(name, "=*");

	return strncmp(name, "LD_", 3) == 0 || (len < 3 && name[len] == '*' && strncmp(name, "LD_", len) == 0);
}

static const char *below_environment(const struct spec_profile *p)
{
	for (const char **name = p->allow; *name != NULL; name++)
		if (names_loader(*name))
			return "LD_ variables";
	for (const char **pair = p->envp; *pair != NULL; pair++)
		if (strncmp(*pair, "LD_", 3) == 0)
			return "LD_ variables";
	return NULL;
}

static const char *below_run(const struct spec_profile *p)
{
	if ((p->capabilities & ~spec_capabilities_allowed) != 0)
		return "a capability that amounts to root";
	if (p->chroot[0] != '\0' && !spec_path_ok(p->chroot))
		return "chroot is no absolute path";
	if (p->directory[0] != '\0' && !spec_path_ok(p->directory))
		return "directory is no absolute path";
	return NULL;
}

int spec_check_profile_floors(const struct spec_profile *p, const struct spec_floors *f, struct fp_err *err)
{
	const char *floor = NULL;

	if (f->ordinary_uid == NOBODY_AT_ALL)
		floor = below_profile_ids(p, f);
	else if (!p->owner && p->uid != f->ordinary_uid)
		floor = "another account than the ordinary user's";
	if (floor == NULL && p->min_uid == 0)
		floor = "min_uid is 0";
	if (floor == NULL && p->min_gid == 0)
		floor = "min_gid is 0";
	if (floor == NULL)
		floor = below_roots(p);
	if (floor == NULL)
		floor = below_environment(p);
	if (floor == NULL)
		floor = below_run(p);
	return floor == NULL ? 0 : fp_fail(err, EPERM, "%s", floor);
}
