/* The command and its interpreters (look process).  Nothing is executed; how many follow each other is bounded, as it is in the kernel. */
#include "fcgipm/look/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/look/elf.h"
#include "fcgipm/look/magic.h"
#include "fcgipm/look/remedy.h"

enum { INTERPRETERS_MAX = 5 };

struct chain {
	struct view *view;
	bool deep;
	struct program *program;
	char path[WORLD_PATH_MAX]; /* the next to look at; "": the end */
	const char *role; /* what it is for the one before */
	struct world *world; /* where path was found */
};

static void take_name(struct program *p, const char *path)
{
	const char *base = strrchr(path, '/');

	base = base != NULL ? base + 1 : path;
	if (p->name_count < PROGRAM_NAMES_MAX && strlen(base) < PROGRAM_NAME_MAX)
		memcpy(p->names[p->name_count++], base, strlen(base) + 1);
}

static void take_names(const struct chain *c)
{
	char real[WORLD_PATH_MAX];

	take_name(c->program, c->path);
	if (world_real_path(c->world, c->path, real, sizeof(real)) == 0)
		take_name(c->program, real);
}

/* -ENOTSUP: not a regular file; -EACCES: not to be executed. */
static int executable(const struct world *w, const char *path)
{
	struct stat st;
	fp_autoclose int fd = world_find(w, path, &st);

	if (fd < 0)
		return fd;
	return S_ISREG(st.st_mode) ? world_access(w, path, X_OK) : -ENOTSUP;
}

/* Somebody else could make the account run what he likes: by the path as it is written, or by the one that it really has. */
static void look_open(const struct chain *c)
{
	char real[WORLD_PATH_MAX], open[WORLD_PATH_MAX];
	struct view *v = c->view;
	bool found = world_open_to_all(&v->world, c->path, open, sizeof(open));

	if (!found && world_real_path(&v->world, c->path, real, sizeof(real)) == 0)
		found = world_open_to_all(&v->world, real, open, sizeof(open));
	if (found)
		look_error(v->report, "command", "%s%s%s: every account can change %s%s", c->role, c->path, view_where(v),
			   strcmp(open, c->path) == 0 ? "it" : open, remedy_open(v, open));
}

/* Finds where c->path is.  False: nowhere, and it has been said. */
static bool find_program(struct chain *c)
{
	struct view *v = c->view;
	int r = executable(&v->world, c->path);

	c->world = &v->world;
	if (r == 0) {
		look_open(c);
		return true;
	}
	if (r == -ENOTSUP)
		look_error(v->report, "command", "%s%s%s: not a regular file", c->role, c->path, view_where(v));
	else if (r == -EACCES)
		look_error(v->report, "command", "%s%s%s: uid %u may not execute it%s", c->role, c->path, view_where(v), (unsigned)geteuid(),
			   remedy_access(v, c->path, "a+rx"));
	else
		look_error(v->report, "command", "%s%s%s: %s%s", c->role, c->path, view_where(v), strerror(-r), remedy_program(v, c->path));
	c->world = &v->host;
	return c->deep && v->jailed && executable(&v->host, c->path) == 0;
}

static void go_on(struct chain *c, const char *path, const char *role)
{
	snprintf(c->path, sizeof(c->path), "%s", path);
	c->role = role;
}

/* ---- env ---- */

static const char *path_of(const struct spec_pool *p)
{
	for (const char **e = p->envp; *e != NULL; e++)
		if (strncmp(*e, "PATH=", 5) == 0)
			return *e + 5;
	return "/bin:/usr/bin"; /* execvp(3) */
}

static bool find_in_path(const struct chain *c, const struct world *w, const char *name, char *ret, size_t cap)
{
	size_t len;

	for (const char *at = path_of(c->view->pool); *at != '\0'; at += len + strspn(at + len, ":")) {
		len = strcspn(at, ":");
		if ((size_t)snprintf(ret, cap, "%.*s/%s", (int)len, at, name) < cap && executable(w, ret) == 0)
			return true;
	}
	return false;
}

/* "#!/usr/bin/env perl": env looks for perl along the pool's PATH. */
static void follow_env(struct chain *c, const char *argument)
{
	char name[MAGIC_LINE_MAX], path[WORLD_PATH_MAX];
	struct view *v = c->view;
	const char *const key = "command";

	c->path[0] = '\0';
	if (magic_env_program(argument, name, sizeof(name)) < 0) {
		look_error(v->report, key, "#! %s: env is told of no program", argument);
	} else if (strpbrk(name, " \t") != NULL) {
		look_error(v->report, key, "#! env %s: env is handed this as one word (write env -S %s)", argument, argument);
	} else if (strchr(name, '/') != NULL) {
		go_on(c, name, "what env runs, ");
	} else if (find_in_path(c, &v->world, name, path, sizeof(path)) || (v->jailed && find_in_path(c, &v->host, name, path, sizeof(path)))) {
		go_on(c, path, "what env runs, "); /* what is only on the host is reported there */
	} else {
		look_error(v->report, key, "what env runs, %s%s: not along the PATH %s", name, view_where(v), path_of(v->pool));
	}
}

/* ---- what a file is ---- */

/* The program interpreter: c->path.  It is the end of the chain. */
static void look_interpreter(struct chain *c)
{
	fp_autoclose int fd = c->path[0] != '\0' && find_program(c) ? world_open_file(c->world, c->path) : -1;
	struct world_file f = {c->world, fd};
	struct bytes b = world_bytes(&f);

	if (fd >= 0 && elf_read(&b, &(struct elf){0}) < 0)
		look_error(c->view->report, "command", "%s%s%s: a broken ELF header", c->role, c->path, view_where(c->view));
	c->path[0] = '\0';
}

static void look_elf(struct chain *c, const struct bytes *b)
{
	struct view *v = c->view;
	struct elf e;
	int r = elf_read(b, &e);

	if (r == -ENOTSUP || (r == 0 && c->deep && !elf_runs_here(&e)))
		look_error(v->report, "command", "%s%s: for another machine (%s)", c->path, view_where(v),
			   r == 0 ? elf_machine_name(e.machine) : "of the other byte order");
	else if (r < 0)
		look_error(v->report, "command", "%s%s: a broken #! line or ELF header", c->path, view_where(v));
	else
		snprintf(c->program->path, sizeof(c->program->path), "%s", c->path);
	c->program->world = c->world;
	go_on(c, c->program->path[0] != '\0' ? e.interpreter : "", "its program interpreter ");
	look_interpreter(c);
}

static void look_script(struct chain *c, const struct magic *m)
{
	const char *base = strrchr(m->interpreter, '/');
	bool env = c->deep && base != NULL && strcmp(base, "/env") == 0;

	go_on(c, m->interpreter, "its #! interpreter ");
	if (env && find_program(c))
		follow_env(c, m->argument);
}

static void look_file(struct chain *c)
{
	fp_autoclose int fd = world_open_file(c->world, c->path);
	struct world_file f = {c->world, fd};
	struct bytes b = world_bytes(&f);
	struct magic m;

	if (fd < 0) {
		c->path[0] = '\0'; /* it may be executed without being readable */
	} else if (magic_look(&b, &m) < 0) {
		look_error(c->view->report, "command", "%s%s: a broken #! line or ELF header", c->path, view_where(c->view));
		c->path[0] = '\0';
	} else if (m.kind == MAGIC_SCRIPT) {
		look_script(c, &m);
	} else if (m.kind == MAGIC_ELF) {
		look_elf(c, &b);
	} else {
		if (c->deep)
			look_warn(c->view->report, "command", "%s%s: neither an ELF file nor a #! line, so only binfmt_misc can run it", c->path,
				  view_where(c->view));
		c->path[0] = '\0';
	}
}

void program_look(struct view *v, bool deep, struct program *ret)
{
	struct chain c = {.view = v, .deep = deep, .program = ret, .role = ""};

	*ret = (struct program){.world = &v->world};
	go_on(&c, v->pool->argv[0], "");
	for (unsigned depth = 0; c.path[0] != '\0'; depth++) {
		if (depth > INTERPRETERS_MAX) {
			look_error(v->report, "command", "%s: too many interpreters, one behind the other", v->pool->argv[0]);
			return;
		}
		if (!find_program(&c))
			return;
		take_names(&c);
		look_file(&c);
	}
}
