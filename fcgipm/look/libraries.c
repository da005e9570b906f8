/* The shared libraries of a program (look process), breadth first as the dynamic linker loads them.  What a chroot lacks is followed in the real root, so that
 * all that is missing is said at once.  Bounds: LIBRARIES_MAX objects, the budget of each root. */
#include "fcgipm/look/libraries.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/look/remedy.h"

struct library {
	struct object object; /* points into the texts below */
	struct world *world; /* where its file is */
	char *name, *soname, *path, *rpath, *runpath, *origin;
	bool module; /* it or what needs it, is loaded when the program runs */
};

/* ---- what is loaded ---- */

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static struct library *known(struct libraries *l, const char *name)
{
	for (unsigned i = 0; i < l->count; i++)
		if (strcmp(l->list[i].name, name) == 0 || (l->list[i].soname != NULL && strcmp(l->list[i].soname, name) == 0))
			return &l->list[i];
	return NULL;
}

static void library_fini(struct library *b)
{
	free(b->name);
	free(b->soname);
	free(b->path);
	free(b->rpath);
	free(b->runpath);
	free(b->origin);
}

static char *string_of(const struct bytes *f, const struct elf *e, uint64_t offset)
{
	char text[ELF_RPATH_MAX];

	return offset != ELF_NO_STRING && elf_string(f, e, offset, text, sizeof(text)) == 0 ? strdup(text) : NULL;
}

/* glibc asks /proc/self/exe for the program's own directory; a library's is that of the path by which it was found. */
static char *origin_of(struct libraries *l, const struct library *b)
{
	fp_autoclose int proc = -1;
	char real[WORLD_PATH_MAX];
	char *slash;

	if (b->object.loader == NULL)
		proc = world_find(&l->view->world, "/proc/self", NULL);
	if (b->object.loader != NULL)
		snprintf(real, sizeof(real), "%s", b->path);
	else if (proc < 0 || world_real_path(b->world, b->path, real, sizeof(real)) < 0)
		return NULL;
	slash = strrchr(real, '/');
	if (slash != NULL)
		slash[slash == real] = '\0';
	return strdup(real);
}

struct opened {
	int fd;
	struct world_file file;
	struct bytes bytes;
	struct elf elf;
};

/* Close with fp_close(&o->fd).  The header and the dynamic section. */
static int open_elf(struct world *w, const char *path, struct opened *o)
{
	int r;

	o->fd = world_open_file(w, path);
	if (o->fd < 0)
		return o->fd;
	o->file = (struct world_file){w, o->fd};
	o->bytes = world_bytes(&o->file);
	r = elf_read(&o->bytes, &o->elf);
	return r == 0 ? elf_read_dynamic(&o->bytes, &o->elf) : r;
}

/* loader: NULL for the program. */
static int add(struct libraries *l, const struct library *loader, struct world *world, const char *name, const char *path)
{
	static struct opened o; /* large; there is one thread */
	struct library *b = &l->list[l->count];
	int r;

	if (l->count == LIBRARIES_MAX)
		return 0;
	r = open_elf(world, path, &o);
	if (r < 0) {
		fp_close(&o.fd);
		return r;
	}
	*b = (struct library){.world = world, .name = strdup(name), .path = strdup(path), .module = loader != NULL && loader->module};
	b->soname = string_of(&o.bytes, &o.elf, o.elf.soname);
	b->runpath = string_of(&o.bytes, &o.elf, o.elf.runpath);
	b->rpath = b->runpath == NULL ? string_of(&o.bytes, &o.elf, o.elf.rpath) : NULL;
	b->object = (struct object){.loader = loader != NULL ? &loader->object : NULL, .class = o.elf.class, .machine = o.elf.machine};
	fp_close(&o.fd);
	if (b->name == NULL || b->path == NULL) {
		library_fini(b);
		return -ENOMEM;
	}
	b->origin = origin_of(l, b);
	b->object.rpath = b->rpath;
	b->object.runpath = b->runpath;
	b->object.origin = b->origin;
	l->count++;
	return 0;
}

/* A name that nothing stands for, so that it is said once. */
static void add_missing(struct libraries *l, const char *name)
{
	char *copy = l->count < LIBRARIES_MAX ? strdup(name) : NULL;

	if (copy != NULL)
		l->list[l->count++] = (struct library){.name = copy};
}

/* ---- what is missing ---- */

static void report(struct libraries *l, const struct library *by, const char *text)
{
	(by->module ? look_warn : look_error)(l->view->report, "command", "%s%s %s", by->path, view_where(l->view), text);
}

/* Where the real root's linker finds it; NULL: nowhere. */
static const char *host_path(struct libraries *l, const struct object *by, const char *name, struct search_result *ret)
{
	if (!l->view->jailed)
		return NULL;
	search_library(&l->host_search, by, name, ret);
	return ret->error == 0 ? ret->path : NULL;
}

static bool is_default(const struct search *s, const char *path)
{
	for (const char *const *dir = s->defaults; *dir != NULL; dir++) {
		size_t len = strlen(*dir);

		if (strncmp(path, *dir, len) == 0 && path[len] == '/' && strchr(path + len + 1, '/') == NULL)
			return true;
	}
	return false;
}

/* Copied to the same path, unless only the real root's ld.so.cache knows that one. */
static const char *remedy_library(struct libraries *l, const char *name, const struct search_result *host, const char *from)
{
	const char *dir = l->search.defaults[0];
	char to[WORLD_PATH_MAX];

	if (from == NULL || !host->by_cache || dir == NULL || is_default(&l->search, from))
		return remedy_file(l->view, from, from != NULL ? from : name, NULL, NULL);
	snprintf(to, sizeof(to), "%s/%s", dir, base_of(from));
	return remedy_file(l->view, from, to, NULL, NULL);
}

static void not_there(struct libraries *l, const struct library *by, const char *name, bool origin_unknown)
{
	struct search_result host = {0};
	const char *from = host_path(l, &by->object, name, &host);
	char text[WORLD_PATH_MAX];
	struct fp_text t = FP_TEXT(text);

	fp_text_add(&t, "needs %s, which is not there", name);
	if (origin_unknown && from == NULL)
		fp_text_add(&t, ": $ORIGIN is not known without /proc%s", remedy_proc(l->view));
	else
		fp_text_add(&t, "%s", remedy_library(l, name, &host, from));
	report(l, by, text);
	/* What that one needs is said at once. */
	if (from == NULL || add(l, by, &l->view->host, name, from) < 0)
		add_missing(l, name);
}

static void not_usable(struct libraries *l, const struct library *by, const char *name, const struct search_result *found)
{
	static const struct {
		int error;
		const char *text;
	} texts[] = {
		{-EACCES, "which this account may not read"},
		{-EXDEV, "which is for another machine"},
		{-EPERM, "which is on a file system mounted noexec (mount -o remount,exec)"},
		{-ELOOP, "where links lead in a circle"},
		{-ENOTSUP, "which is no regular file"},
		{-EDQUOT, "which was not looked at: there is too much to read"},
	};
	const char *what = "which is no ELF library, or a broken one";
	char text[2 * WORLD_PATH_MAX];
	struct fp_text t = FP_TEXT(text);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].error == found->error)
			what = texts[i].text;
	fp_text_add(&t, "needs %s and gets %s, %s%s", name, found->path, what, found->error == -EACCES ? remedy_access(l->view, found->path, "a+r") : "");
	report(l, by, text);
	add_missing(l, name);
}

/* ---- the walk ---- */

/* musl's linker is its C library, and stands for what other systems split off. */
static bool within_linker(const struct libraries *l, const char *name)
{
	static const char *const parts[] = {"libc.", "libpthread.", "librt.", "libm.", "libdl.", "libutil.", "libxnet."};

	for (size_t i = 0; l->search.musl && i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strncmp(name, parts[i], strlen(parts[i])) == 0)
			return true;
	return false;
}

static void need(struct libraries *l, const struct library *by, const char *name)
{
	struct search_result found;

	if (known(l, name) != NULL || within_linker(l, name))
		return;
	search_library(&l->search, &by->object, name, &found);
	if (found.error == -ENOENT)
		not_there(l, by, name, found.origin_unknown);
	else if (found.error < 0)
		not_usable(l, by, name, &found);
	else if (add(l, by, l->search.world, name, found.path) < 0)
		add_missing(l, name); /* it has changed meanwhile */
}

static void need_all(struct libraries *l, const struct library *by)
{
	static struct opened o;
	char name[ELF_PATH_MAX];

	if (by->path == NULL)
		return;
	if (open_elf(by->world, by->path, &o) == 0)
		for (uint32_t i = 0; i < o.elf.needed_count; i++)
			if (elf_string(&o.bytes, &o.elf, o.elf.needed[i], name, sizeof(name)) == 0 && name[0] != '\0')
				need(l, by, name);
	fp_close(&o.fd);
}

static void walk(struct libraries *l)
{
	while (l->done < l->count)
		need_all(l, &l->list[l->done++]);
	if (l->count == LIBRARIES_MAX)
		look_warn(l->view->report, "command", "more than %d libraries: the rest was not looked at", LIBRARIES_MAX);
}

/* The program interpreter is loaded before all. */
static void begin(struct libraries *l, const struct elf *program)
{
	struct view *v = l->view;
	int r = search_init(&l->search, &v->world, v->pool, program->interpreter, program->machine);

	if (r < 0)
		look_warn(v->report, view_key(v), "/etc/ld.so.cache%s cannot be used%s", view_where(v), remedy_command(v, "ldconfig -r", "/"));
	if (v->jailed)
		search_init(&l->host_search, &v->host, v->pool, program->interpreter, program->machine);
	if (add(l, &l->list[0], &v->world, base_of(program->interpreter), program->interpreter) < 0)
		add_missing(l, base_of(program->interpreter));
	l->ready = true;
	walk(l);
}

void libraries_of_program(struct libraries *l, struct view *v, struct world *world, const char *path)
{
	static struct opened o;
	bool dynamic;

	*l = (struct libraries){.view = v, .list = calloc(LIBRARIES_MAX, sizeof(*l->list))};
	if (l->list == NULL)
		return;
	dynamic = open_elf(world, path, &o) == 0 && o.elf.interpreter[0] != '\0';
	fp_close(&o.fd);
	if (add(l, NULL, world, base_of(path), path) == 0 && dynamic)
		begin(l, &o.elf);
}

/* By whatever links: some trees have two names. */
static bool is_loaded(const struct libraries *l, const char *path)
{
	for (unsigned i = 0; i < l->count; i++)
		if (l->list[i].path != NULL && strcmp(l->list[i].path, path) == 0)
			return true;
	return false;
}

void libraries_of_module(struct libraries *l, const char *path)
{
	unsigned before = l->count;
	char real[WORLD_PATH_MAX];

	if (!l->ready || world_real_path(&l->view->world, path, real, sizeof(real)) < 0 || is_loaded(l, real))
		return;
	if (add(l, &l->list[0], &l->view->world, base_of(real), real) < 0 || l->count == before)
		return;
	l->list[before].module = true;
	walk(l);
}

void libraries_fini(struct libraries *l)
{
	for (unsigned i = 0; i < l->count; i++)
		library_fini(&l->list[i]);
	free(l->list);
	search_fini(&l->search);
	search_fini(&l->host_search);
	*l = (struct libraries){0};
}

/* ---- questions ---- */

static bool mentions(const struct library *b, const char *const *words)
{
	static struct opened o;
	bool yes = b->path != NULL && open_elf(b->world, b->path, &o) == 0 && elf_mentions(&o.bytes, &o.elf, words);

	if (b->path != NULL)
		fp_close(&o.fd);
	return yes;
}

/* libfcgi could connect to a name, but is used to serve. */
static bool provides(const struct library *b)
{
	static const char *const patterns[] = {"libc.*", "libresolv.*", "libnss_*", "libnsl*", "ld-*", "libfcgi.*"};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		if (fnmatch(patterns[i], b->name, 0) == 0)
			return true;
	return false;
}

bool libraries_mention(struct libraries *l, const char *const *words)
{
	for (unsigned i = 0; i < l->count; i++)
		if (!provides(&l->list[i]) && mentions(&l->list[i], words))
			return true;
	return false;
}

bool libraries_include(const struct libraries *l, const char *pattern)
{
	for (unsigned i = 0; i < l->count; i++)
		if (fnmatch(pattern, l->list[i].name, 0) == 0)
			return true;
	return false;
}

bool libraries_c_version(struct libraries *l, const char *version)
{
	const char *const words[] = {version, NULL};
	const struct library *c = known(l, "libc.so.6");

	return c != NULL && mentions(c, words);
}

bool libraries_are_musl(const struct libraries *l)
{
	return l->search.musl;
}

bool libraries_load(struct libraries *l, const char *name)
{
	struct search_result found;

	if (!l->ready)
		return true; /* nobody loads anything */
	search_library(&l->search, &l->list[0].object, name, &found);
	if (found.error == 0)
		libraries_of_module(l, found.path);
	return found.error == 0;
}

bool libraries_on_host(struct libraries *l, const char *name)
{
	struct search_result host;

	return l->ready && host_path(l, &l->list[0].object, name, &host) != NULL;
}

const char *libraries_remedy(struct libraries *l, const char *name)
{
	struct search_result host = {0};

	return remedy_library(l, name, &host, host_path(l, &l->list[0].object, name, &host));
}
