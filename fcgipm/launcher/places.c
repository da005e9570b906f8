/* Where sockets and output files are to be (launcher process).  The same walk by descriptors as when they are bound and opened; nothing is made, opened or
 * changed, so nothing that stands there can act. */
#include "fcgipm/launcher/places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/load_state.h"
#include "fcgipm/launcher/output_file.h"
#include "fcgipm/priv/files.h"

/* One name in one directory, whatever the path to it is called. */
struct spot {
	dev_t dev;
	ino_t ino;
	char *base;
	uint32_t index; /* of the pool in the spec */
};

struct spots {
	struct load *load;
	struct spot *list;
	size_t count;
};

static void say(struct load *ld, uint32_t index, enum spec_origin at, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void say(struct load *ld, uint32_t index, enum spec_origin at, const char *fmt, ...)
{
	char text[SPEC_PATH_MAX + 1024];
	struct fp_text t = FP_TEXT(text);
	va_list ap;

	va_start(ap, fmt);
	fp_text_vadd(&t, fmt, ap);
	va_end(ap);
	if (ld->wanted[index])
		looks_add_finding(ld, &ld->spec.pools[index], at, text);
}

/* What is unsafe has its remedy with it. */
static void say_way(struct load *ld, uint32_t index, enum spec_origin at, const struct fp_err *err)
{
	say(ld, index, at, "%s%s", err->text, err->code != EPERM ? " (make the directory, or name another path)" : "");
}

static bool below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && path[len] == '/';
}

static void note_spot(struct spots *s, const struct priv_place *at, uint32_t index)
{
	struct stat st;
	char *base = fstat(at->dir, &st) == 0 ? strdup(at->base) : NULL;

	if (base != NULL)
		s->list[s->count++] = (struct spot){st.st_dev, st.st_ino, base, index};
}

/* type: what may stand there already. */
static const char *in_the_way(const struct priv_place *at, mode_t type, const char *right)
{
	struct stat st;

	if (fstatat(at->dir, at->base, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return (st.st_mode & S_IFMT) == type ? NULL : right;
	if (faccessat(at->dir, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return errno == EROFS ? "its directory is on a read-only file system (name another)" : "its directory cannot be written (name another)";
	return NULL;
}

static void look_at_listen(struct spots *s, const struct spec_pool *p, uint32_t index)
{
	struct load *ld = s->load;
	struct fp_err err = {0};
	struct priv_place at;
	struct handed *handed = NULL;
	const char *wrong;
	int r;

	if (p->listen != SPEC_LISTEN_UNIX || handed_find(ld->launcher, p, &handed, NULL) < 0 || handed != NULL)
		return;
	r = priv_walk(p->address, p->uid, &at, &err);
	if (r < 0) {
		if (!below(p->address, ld->spec.manager.runtime_directory)) /* that one is made at the start */
			say_way(ld, index, SPEC_ORIGIN_LISTEN, &err);
		return;
	}
	if (at.way == PRIV_WAY_OWN) {
		note_spot(s, &at, index);
		wrong = in_the_way(&at, S_IFSOCK, "something else than a socket is there (remove it, or name another path)");
		if (wrong != NULL)
			say(ld, index, SPEC_ORIGIN_LISTEN, "%s: %s", p->address, wrong);
	}
	fp_close(&at.dir);
}

static void look_at_output(struct load *ld, const struct spec_pool *p, uint32_t index)
{
	struct fp_err err = {0};
	struct priv_place at;
	const char *wrong = NULL;

	if (p->output != SPEC_OUTPUT_FILE)
		return;
	if (priv_walk(p->output_path, p->uid, &at, &err) < 0) {
		say_way(ld, index, SPEC_ORIGIN_OUTPUT, &err);
		return;
	}
	if (at.way == PRIV_WAY_OWN && output_file_is_ours(ld->launcher, p))
		wrong = in_the_way(&at, S_IFREG, "something else than a regular file is there (remove it, or name another path)");
	if (wrong != NULL)
		say(ld, index, SPEC_ORIGIN_OUTPUT, "%s: %s", p->output_path, wrong);
	fp_close(&at.dir);
}

static int by_spot(const void *va, const void *vb)
{
	const struct spot *a = va, *b = vb;

	if (a->dev != b->dev)
		return a->dev < b->dev ? -1 : 1;
	if (a->ino != b->ino)
		return a->ino < b->ino ? -1 : 1;
	return strcmp(a->base, b->base) != 0 ? strcmp(a->base, b->base) : (a->index > b->index) - (a->index < b->index);
}

/* conf compares the texts; a directory has more than one name where a link leads to it. */
static void say_taken(struct load *ld, const struct spot *a, const struct spot *b)
{
	const struct spec_entry *first = &ld->spec.pools[a->index];

	say(ld, b->index, SPEC_ORIGIN_LISTEN, "taken by pool %s in line %u, by another name of that directory (an address of its own)", first->name,
	    first->places[SPEC_ORIGIN_LISTEN].line);
}

static void compare(struct spots *s)
{
	if (s->count > 0)
		qsort(s->list, s->count, sizeof(*s->list), by_spot);
	for (size_t i = 1; i < s->count; i++) {
		const struct spot *a = &s->list[i - 1], *b = &s->list[i];

		if (a->dev == b->dev && a->ino == b->ino && strcmp(a->base, b->base) == 0)
			say_taken(s->load, a, b);
	}
	for (size_t i = 0; i < s->count; i++)
		free(s->list[i].base);
}

void places_check(struct load *ld)
{
	struct spots s = {.load = ld, .list = calloc(ld->spec.pool_count + 1, sizeof(struct spot))};

	for (uint32_t i = 0; i < ld->spec.pool_count && s.list != NULL; i++) {
		struct spec_pool p = {0};

		if (spec_pool_decode(ld->spec.pools[i].pool, &p, NULL) < 0)
			continue;
		look_at_listen(&s, &p, i);
		look_at_output(ld, &p, i);
		spec_pool_free(&p);
	}
	compare(&s);
	free(s.list);
}
