/* The account's own places outside the chroot (look process).  Nothing is made or opened there. */
#include "fcgipm/look/places.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"

#define ROOTS_OWN "/var/log/" /* as the launcher's output_file.c has it */

struct place {
	const char *key, *path;
	mode_t type; /* of what may stand there already */
	const char *right;
};

/* Some directory on the way is the account's: then the last step is its own, too. */
static bool is_ours(const struct view *v, const char *path)
{
	char dir[WORLD_PATH_MAX];

	for (const char *end = strchr(path + 1, '/'); end != NULL; end = strchr(end + 1, '/')) {
		struct stat st;
		fp_autoclose int fd = -1;

		if ((size_t)snprintf(dir, sizeof(dir), "%.*s", (int)(end - path), path) >= sizeof(dir))
			return false;
		fd = world_find(&v->host, dir, &st);
		if (fd < 0)
			return false;
		if (st.st_uid == geteuid())
			return true;
	}
	return false;
}

static void look_at_directory(struct view *v, const struct place *p)
{
	char dir[WORLD_PATH_MAX];
	struct stat st;
	fp_autoclose int fd = -1;
	size_t len = (size_t)(strrchr(p->path, '/') - p->path);

	if ((size_t)snprintf(dir, sizeof(dir), "%.*s", len > 0 ? (int)len : 1, p->path) >= sizeof(dir))
		return;
	fd = world_find(&v->host, dir, &st);
	if (fd < 0)
		look_error(v->report, p->key, "%s: %s (a directory that uid %u may write)", dir, strerror(-fd), (unsigned)geteuid());
	else if (!S_ISDIR(st.st_mode))
		look_error(v->report, p->key, "%s: %s (a directory that uid %u may write)", dir, strerror(ENOTDIR), (unsigned)geteuid());
	else if (world_access(&v->host, dir, W_OK | X_OK) < 0)
		look_error(v->report, p->key, "%s: uid %u may not write it (a directory that it may write)", dir, (unsigned)geteuid());
}

static void look_at_place(struct view *v, const struct place *p)
{
	struct stat st;
	fp_autoclose int fd = world_find(&v->host, p->path, &st);

	if (fd < 0)
		look_at_directory(v, p);
	else if ((st.st_mode & S_IFMT) != p->type)
		look_error(v->report, p->key, "%s: something else than %s is there (remove it, or name another path)", p->path, p->right);
	else if (S_ISREG(p->type) && world_access(&v->host, p->path, W_OK) < 0)
		look_error(v->report, p->key, "%s: uid %u may not write it (chown, or name another path)", p->path, (unsigned)geteuid());
}

void places_look(struct view *v)
{
	const struct spec_pool *p = v->pool;

	if (p->listen == SPEC_LISTEN_UNIX && is_ours(v, p->address))
		look_at_place(v, &(struct place){"listen", p->address, S_IFSOCK, "a socket"});
	if (p->output == SPEC_OUTPUT_FILE && (strncmp(p->output_path, ROOTS_OWN, strlen(ROOTS_OWN)) != 0 || is_ours(v, p->output_path)))
		look_at_place(v, &(struct place){"output", p->output_path, S_IFREG, "a regular file"});
}
