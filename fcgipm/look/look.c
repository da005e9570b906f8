/* What only the account's own rights can show (look process, under the pool's account, no capability). */
#include "fcgipm/look/look.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/look/libraries.h"
#include "fcgipm/look/needs.h"
#include "fcgipm/look/places.h"
#include "fcgipm/look/program.h"
#include "fcgipm/look/view.h"
#include "fcgipm/priv/environment.h"

static bool open_root(struct view *v)
{
	const char *root = v->jailed ? v->pool->chroot : "/";
	int r = world_open(&v->world, root);

	if (r < 0) {
		look_error(v->report, "chroot", "%s: %s (make the directory, or let uid %u enter it)", root, strerror(-r), (unsigned)geteuid());
		return false;
	}
	if (faccessat(v->world.fd, ".", X_OK, 0) < 0) {
		look_error(v->report, "chroot", "%s: uid %u may not enter it (chmod u+x)", root, (unsigned)geteuid());
		return false;
	}
	return true;
}

static void look_directory(struct view *v)
{
	const char *path = v->pool->directory;
	struct stat st;
	fp_autoclose int fd = path[0] != '\0' ? world_find(&v->world, path, &st) : -1;
	int r = fd < 0 ? fd : S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;

	if (path[0] == '\0')
		return;
	if (r < 0)
		look_error(v->report, "directory", "%s%s: %s (make it, or name another)", path, view_where(v), strerror(-r));
	else if (faccessat(fd, ".", X_OK, 0) < 0)
		look_error(v->report, "directory", "%s%s: uid %u may not enter it", path, view_where(v), (unsigned)geteuid());
}

/* Too large for a stack. */
static struct priv_environment environment;

static void look_secrecy(struct view *v, const char *path)
{
	struct stat st = {0};

	if (stat(path, &st) == 0 && (st.st_mode & S_IWOTH) != 0)
		look_error(v->report, "environment_file", "%s: every account can change it (chmod o-rw)", path);
	else if ((st.st_mode & S_IROTH) != 0)
		look_warn(v->report, "environment_file", "%s: every account can read it (chmod o-r)", path);
}

/* The pool's environment as a worker gets it. */
static void look_environment(struct view *v, struct spec_pool *pool)
{
	const char *path = pool->environment_file;
	unsigned line;
	int r;

	if (path[0] == '\0')
		return;
	r = priv_environment_begin(&environment, pool->envp);
	if (r == 0)
		r = priv_environment_read(&environment, path, &line);
	if (r == -EINVAL && line > 0)
		look_error(v->report, "environment_file", "%s:%u: not NAME=VALUE (a name of letters, digits and _; # begins a comment)", path, line);
	else if (r < 0)
		look_error(v->report, "environment_file", "%s: %s (a regular file that uid %u may read, at most 64K)", path, strerror(-r), (unsigned)geteuid());
	else
		look_secrecy(v, path);
	if (r == 0)
		pool->envp = environment.envp;
}

static void look_deeper(struct view *v, const struct program *p)
{
	struct libraries l = {0};

	if (p->path[0] != '\0')
		libraries_of_program(&l, v, p->world, p->path);
	needs_of_languages(v, p, &l);
	needs_of_names(v, &l);
	needs_of_tls(v, &l);
	needs_of_time(v);
	needs_of_devices(v);
	libraries_fini(&l);
}

static void look_inside(struct view *v, bool deep)
{
	static struct program program; /* large */

	if (world_open(&v->host, "/") < 0)
		return;
	places_look(v);
	if (!open_root(v))
		return;
	look_directory(v);
	program_look(v, deep, &program);
	if (deep)
		look_deeper(v, &program);
}

void look_at_pool(const struct spec_pool *p, bool deep, struct look_report *report)
{
	struct spec_pool pool = *p;
	struct view v = {.pool = &pool, .jailed = p->chroot[0] != '\0', .world.fd = -1, .host.fd = -1, .report = report};

	if (geteuid() != p->uid || getegid() != p->gid) {
		look_error(report, "user", "looked with uid %u, not %u", (unsigned)geteuid(), p->uid);
	} else {
		look_environment(&v, &pool);
		look_inside(&v, deep);
	}
	fp_close(&v.world.fd);
	fp_close(&v.host.fd);
}
