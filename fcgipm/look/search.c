/* The dynamic linker's search (look process), after ld.so(8), dl-load.c of glibc and ldso/dynlink.c of musl.  Nothing is loaded: a candidate's header is
 * read, as the linker would before it takes it. */
#include "fcgipm/look/search.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/text.h"

enum { CACHE_MAX = 4 << 20, PATH_FILE_MAX = 16 << 10, LINKER_MAX = 4 << 20, CANDIDATES_MAX = 16 };

/* One library that one object needs. */
struct quest {
	const struct search *s;
	const struct object *by;
	const char *name;
	struct search_result *ret;
};

/* ---- one candidate ---- */

static int judge_header(const struct quest *q, int fd)
{
	struct world_file f = {q->s->world, fd};
	struct bytes b = world_bytes(&f);
	static struct elf e;
	struct statvfs fs;
	int r = elf_read(&b, &e);

	if (r < 0)
		return r == -ENOTSUP ? -EXDEV : r;
	if (e.class != q->by->class || e.machine != q->by->machine)
		return -EXDEV;
	return fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_NOEXEC) != 0 ? -EPERM : 0;
}

/* True when the search ends here: found, or something over which the linker itself stumbles. */
static bool try_path(const struct quest *q, const char *path)
{
	fp_autoclose int fd = world_open_file(q->s->world, path);
	int r = fd < 0 ? fd : judge_header(q, fd);
	bool passed_over = r == -EACCES || r == -EXDEV || r == -ELOOP; /* the linker goes on, and so do we; the first of them is told */

	if (r == -ENOENT || r == -ENOTDIR || (passed_over && q->ret->error != -ENOENT))
		return false;
	q->ret->error = r;
	snprintf(q->ret->path, sizeof(q->ret->path), "%s", path);
	return !passed_over;
}

static bool try_in(const struct quest *q, const char *dir)
{
	char path[WORLD_PATH_MAX];
	bool absolute = dir[0] == '/';

	if ((size_t)snprintf(path, sizeof(path), "%s%s%s/%s", absolute ? "" : q->s->directory, absolute ? "" : "/", dir, q->name) >= sizeof(path))
		return false;
	return try_path(q, path);
}

/* ---- lists of directories ---- */

struct variable {
	const char *name;
	const char *value; /* NULL: not known */
};

/* The variable that stands at "$NAME" or "${NAME}", and the length of that. */
static const struct variable *variable_at(const char *at, const struct variable *v, size_t *ret_len)
{
	bool braces = at[0] == '$' && at[1] == '{';
	const char *name = at + (braces ? 2 : 1);

	for (; at[0] == '$' && v->name != NULL; v++) {
		size_t n = strlen(v->name);

		if (strncmp(name, v->name, n) != 0 || (braces && name[n] != '}'))
			continue;
		*ret_len = n + (braces ? 3 : 1);
		return v;
	}
	*ret_len = 1;
	return NULL;
}

/* One directory of a list, with $ORIGIN (that of an object) and so on in their places.  False: too long, or it names what is not known. */
static bool expand(const struct search *s, const struct object *of, const char *text, size_t len, struct fp_text *ret)
{
	const char *platform = (const char *)(uintptr_t)getauxval(AT_PLATFORM); /* cppcheck-suppress intToPointerCast */
	const struct variable variables[] = {
		{"ORIGIN", of->origin},
		{s->musl ? NULL : "LIB", s->defaults[0] != NULL ? s->defaults[0] + 1 : "lib"},
		{"PLATFORM", platform},
		{NULL, NULL},
	};
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		const struct variable *v = variable_at(text + i, variables, &n);

		if (v != NULL && v->value == NULL)
			return false;
		if (v != NULL)
			fp_text_add(ret, "%s", v->value);
		else
			fp_text_add_bytes(ret, text + i, 1);
	}
	return !ret->cut;
}

static bool try_list(const struct quest *q, const char *list, const struct object *of)
{
	const char *separators = q->s->musl ? ":\n" : ":;";
	size_t len;

	for (const char *at = list; at != NULL && *at != '\0'; at += len + strspn(at + len, separators)) {
		char dir[WORLD_PATH_MAX] = "";
		struct fp_text t = FP_TEXT(dir);

		len = strcspn(at, separators);
		if (!expand(q->s, of, at, len, &t))
			q->ret->origin_unknown = true;
		else if (len > 0 && try_in(q, dir))
			return true;
	}
	return false;
}

static bool try_cache(const struct quest *q)
{
	const char *path;
	uint32_t pos = 0;

	for (unsigned i = 0; i < CANDIDATES_MAX && !q->ret->by_cache && (path = ldcache_next(&q->s->cache, q->name, &pos)) != NULL; i++)
		q->ret->by_cache = path[0] == '/' && try_path(q, path);
	return q->ret->by_cache;
}

static bool try_defaults(const struct quest *q)
{
	for (const char *const *dir = q->s->defaults; *dir != NULL; dir++)
		if (try_in(q, *dir))
			return true;
	return false;
}

/* ---- the order ---- */

/* RPATHs count, up to the program's, unless the one that needs it has a RUNPATH; an object with a RUNPATH has no RPATH (dl-load.c). */
static void search_glibc(const struct quest *q)
{
	if (q->by->runpath == NULL)
		for (const struct object *o = q->by; o != NULL; o = o->loader)
			if (o->runpath == NULL && try_list(q, o->rpath, o))
				return;
	if (try_list(q, q->s->library_path, q->by) || try_list(q, q->by->runpath, q->by) || try_cache(q))
		return;
	try_defaults(q);
}

/* musl makes no difference between the two, and both hold for what is needed further down. */
static void search_musl(const struct quest *q)
{
	if (try_list(q, q->s->library_path, q->by))
		return;
	for (const struct object *o = q->by; o != NULL; o = o->loader)
		if (try_list(q, o->runpath != NULL ? o->runpath : o->rpath, o))
			return;
	if (q->s->path_file != NULL)
		try_list(q, q->s->path_file, q->by);
	else
		try_defaults(q);
}

void search_library(const struct search *s, const struct object *by, const char *name, struct search_result *ret)
{
	struct quest q = {s, by, name, ret};
	char path[WORLD_PATH_MAX] = "";
	struct fp_text t = FP_TEXT(path);

	*ret = (struct search_result){.error = -ENOENT};
	if (strchr(name, '/') == NULL) {
		(s->musl ? search_musl : search_glibc)(&q);
		return;
	}
	if (name[0] != '/' && name[0] != '$')
		fp_text_add(&t, "%s/", s->directory);
	if (expand(s, by, name, strlen(name), &t))
		try_path(&q, path);
	else
		ret->origin_unknown = true;
}

/* ---- what the linker itself brings ---- */

/* A distribution's directories are written in its linker, one behind the other: "/lib/x86_64-linux-gnu/", "/usr/lib/x86_64-linux-gnu/", "/lib/", "/usr/lib/". */
static const struct {
	uint16_t machine;
	const char *dir;
} built_in[] = {
	{EM_X86_64, "/lib/x86_64-linux-gnu"},
	{EM_X86_64, "/usr/lib/x86_64-linux-gnu"},
	{EM_AARCH64, "/lib/aarch64-linux-gnu"},
	{EM_AARCH64, "/usr/lib/aarch64-linux-gnu"},
	{EM_386, "/lib/i386-linux-gnu"},
	{EM_386, "/usr/lib/i386-linux-gnu"},
	{EM_ARM, "/lib/arm-linux-gnueabihf"},
	{EM_ARM, "/usr/lib/arm-linux-gnueabihf"},
	{EM_NONE, "/lib64"},
	{EM_NONE, "/usr/lib64"},
	{EM_NONE, "/lib"},
	{EM_NONE, "/usr/lib"},
};

static bool holds(const char *bytes, size_t len, const char *dir)
{
	char text[64];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s/", dir);

	return len > 0 && memmem(bytes, len, text, n + 1) != NULL;
}

/* A linker that cannot be read, or holds none of them, is taken to know all: nothing is to be called missing that is not. */
static void find_defaults(struct search *s, const char *interpreter, uint16_t machine)
{
	fp_autofree char *bytes = NULL;
	size_t len = 0, n = 0;

	world_read(s->world, interpreter, LINKER_MAX, &bytes, &len);
	for (unsigned any = 0; any < 2 && n == 0; any++)
		for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]) && n < SEARCH_DIRS_MAX - 1; i++)
			if ((built_in[i].machine == EM_NONE || built_in[i].machine == machine) && (any == 1 || holds(bytes, len, built_in[i].dir)))
				s->defaults[n++] = built_in[i].dir;
	s->defaults[n] = NULL;
}

/* /lib/ld-musl-x86_64.so.1 reads /etc/ld-musl-x86_64.path. */
static void init_musl(struct search *s, const char *name)
{
	static const char *const defaults[] = {"/lib", "/usr/local/lib", "/usr/lib", NULL};
	char path[ELF_PATH_MAX];
	size_t len;

	memcpy(s->defaults, defaults, sizeof(defaults));
	snprintf(path, sizeof(path), "/etc/%.*s.path", (int)strcspn(name, "."), name);
	world_read(s->world, path, PATH_FILE_MAX, &s->path_file, &len);
}

static const char *library_path(char *const *envp)
{
	for (; *envp != NULL; envp++)
		if (strncmp(*envp, "LD_LIBRARY_PATH=", 16) == 0)
			return *envp + 16;
	return NULL;
}

int search_init(struct search *s, struct world *w, const struct spec_pool *p, const char *interpreter, uint16_t machine)
{
	const char *name = strrchr(interpreter, '/') != NULL ? strrchr(interpreter, '/') + 1 : interpreter;
	size_t len;
	int r;

	*s = (struct search){
		.world = w,
		.directory = p->directory[0] != '\0' ? p->directory : "/",
		.library_path = library_path((char *const *)(uintptr_t)p->envp),
		.musl = strncmp(name, "ld-musl-", 8) == 0,
	};
	if (s->musl) {
		init_musl(s, name);
		return 0;
	}
	find_defaults(s, interpreter, machine);
	r = world_read(w, "/etc/ld.so.cache", CACHE_MAX, &s->cache_bytes, &len);
	if (r == 0)
		r = ldcache_open(s->cache_bytes, len, &s->cache);
	return r == -EBADMSG || r == -EFBIG || r == -ENOTSUP ? r : 0;
}

void search_fini(struct search *s)
{
	free(s->cache_bytes);
	free(s->path_file);
	*s = (struct search){0};
}
