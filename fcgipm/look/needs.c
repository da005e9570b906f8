/* What is known to be needed (look process): rows, and the few lines that hold a root against them.  What is not there is a warning: the program starts, and
 * misses it later. */
#include "fcgipm/look/needs.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fcgipm/look/remedy.h"

/* Lists of patterns have blanks between them.  %p is the prefix of the program, /usr for /usr/bin/perl; /usr is always tried too. */
struct need {
	const char *what;
	const char *any; /* one that is there and can be read will do */
	const char *trees; /* what to copy for it */
	const char *package;
	const char *unless; /* arguments, or variables with their "=", that say something else */
};

struct language {
	const char *name;
	const char *programs; /* base names */
	const char *library; /* whoever is linked with it speaks it too */
	bool script; /* absolute paths among the arguments are files to read */
	const char *loads; /* a library that it loads by name to serve; asked for where the real root has it */
	const char *modules; /* what the program loads when it runs; in a chroot they are looked at if they are there */
	struct need needs[3];
};

/* clang-format off */
static const struct language languages[] = {
	{
		"PHP", "php php[0-9]* php-cgi* php-fcgi*", "libphp*.so*", false, NULL,
		"/usr/lib/php/*/*.so /usr/lib/php*/modules/*.so",
		{{"the time zones", "/usr/share/zoneinfo/UTC", "/usr/share/zoneinfo", "tzdata", NULL}},
	}, {
		"Perl", "perl perl5*", "libperl.so*", true, NULL,
		"%p/lib/*/perl-base/auto/*/*/*.so %p/lib/*/perl/*/auto/*/*.so %p/lib/*/perl/*/auto/*/*/*.so %p/lib/*/perl5/*/auto/*/*.so %p/lib/*/perl5/*/auto/*/*/*.so",
		{{"its library (strict.pm)",
		  "%p/lib/*/perl-base/strict.pm %p/share/perl/*/strict.pm %p/share/perl5/strict.pm %p/share/perl5/core_perl/strict.pm %p/lib*/perl5/strict.pm %p/lib*/perl5/*/strict.pm",
		  "/etc/perl /usr/lib/*/perl-base /usr/lib/*/perl /usr/lib/*/perl5 /usr/share/perl /usr/share/perl5", "perl", NULL}},
	}, {
		"Ruby", "ruby ruby[0-9]*", "libruby*.so*", true, NULL,
		"%p/lib/*/ruby/*/*.so %p/lib/*/ruby/vendor_ruby/*/*.so %p/lib/ruby/*/*/*.so",
		{{"its library (set.rb)", "%p/lib*/ruby/*/set.rb %p/share/ruby/set.rb", "/usr/lib/ruby /usr/lib/*/ruby /usr/share/rubygems-integration /var/lib/gems",
		  "ruby", NULL},
		 {"its library for this machine (rbconfig.rb)", "%p/lib/*/ruby/*/rbconfig.rb %p/lib*/ruby/*/*/rbconfig.rb %p/lib*/ruby/rbconfig.rb", "/usr/lib/*/ruby",
		  "ruby", NULL}},
	}, {
		"Python", "python python[0-9]*", "libpython*.so*", true, NULL,
		"%p/lib/python3*/lib-dynload/*.so",
		{{"its library (os.py)", "%p/lib*/python*/os.py", "/usr/lib/python3 /usr/lib/python3.*", "python3", "PYTHONHOME="}},
	}, {
		"SBCL", "sbcl", NULL, true, "libfcgi.so.0", "",
		{{"its core", "%p/lib*/sbcl/sbcl.core", "/usr/lib/sbcl", "sbcl", "SBCL_HOME= --core"}},
	}, {
		"CLISP", "clisp", NULL, true, NULL,
		"%p/lib*/clisp*/*/lisp.run %p/lib*/clisp*/dynmod/*.so",
		{{"its memory image (lispinit.mem)", "%p/lib*/clisp*/base/lispinit.mem", "/usr/lib/clisp-*", "clisp", "-B -M"}},
	},
};
/* clang-format on */

/* ---- one need ---- */

struct asked {
	struct world *world;
	bool found;
};

static bool is_there(void *ctx, const char *path)
{
	struct asked *a = ctx;

	a->found = world_access(a->world, path, R_OK) == 0;
	return !a->found;
}

/* Calls each for what matches a list of patterns. */
static void for_each(struct world *w, const char *patterns, const char *prefix, world_each *each, void *ctx)
{
	size_t len;

	for (const char *at = patterns; *at != '\0'; at += len + strspn(at + len, " ")) {
		bool prefixed = strncmp(at, "%p", 2) == 0;
		char path[512];

		len = strcspn(at, " ");
		snprintf(path, sizeof(path), "%s%.*s", prefixed ? prefix : "", (int)(len - (prefixed ? 2 : 0)), at + (prefixed ? 2 : 0));
		world_glob(w, path, each, ctx);
	}
}

static bool have_any(struct world *w, const char *patterns, const char *prefix)
{
	struct asked a = {w, false};

	for_each(w, patterns, prefix, is_there, &a);
	if (!a.found && strcmp(prefix, "/usr") != 0)
		for_each(w, patterns, "/usr", is_there, &a);
	return a.found;
}

static bool said_otherwise(const struct spec_pool *p, const char *unless)
{
	size_t len;

	for (const char *at = unless != NULL ? unless : ""; *at != '\0'; at += len + strspn(at + len, " ")) {
		len = strcspn(at, " ");
		for (const char **e = p->envp; *e != NULL; e++)
			if (at[len - 1] == '=' && strncmp(*e, at, len) == 0)
				return true;
		for (const char **a = p->argv; *a != NULL; a++)
			if (strncmp(*a, at, len) == 0 && (*a)[len] == '\0')
				return true;
	}
	return false;
}

static void need(struct view *v, const char *who, const char *prefix, const struct need *n)
{
	char first[512];

	if (said_otherwise(v->pool, n->unless) || have_any(&v->world, n->any, prefix))
		return;
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(n->any, " "), n->any);
	look_warn(v->report, "command", "%s needs %s%s, such as %s%s%s", who, n->what, view_where(v), strncmp(first, "%p", 2) == 0 ? prefix : "",
		  first + (strncmp(first, "%p", 2) == 0 ? 2 : 0), remedy_trees(v, n->trees, n->package));
}

/* ---- languages ---- */

static bool speaks(const struct language *g, const struct program *p, const struct libraries *l)
{
	size_t len;

	if (g->library != NULL && libraries_include(l, g->library))
		return true;
	for (const char *at = g->programs; *at != '\0'; at += len + strspn(at + len, " ")) {
		char pattern[64];

		len = strcspn(at, " ");
		snprintf(pattern, sizeof(pattern), "%.*s", (int)len, at);
		for (unsigned i = 0; i < p->name_count; i++)
			if (fnmatch(pattern, p->names[i], 0) == 0)
				return true;
	}
	return false;
}

/* "/usr" of /usr/bin/perl3.1, links resolved. */
static void prefix_of(const struct program *p, char *ret, size_t cap)
{
	char real[WORLD_PATH_MAX];
	char *slash;

	snprintf(ret, cap, "/usr");
	if (p->path[0] == '\0' || world_real_path(p->world, p->path, real, sizeof(real)) < 0)
		return;
	for (unsigned i = 0; i < 2; i++) {
		slash = strrchr(real, '/');
		if (slash == NULL)
			return;
		*slash = '\0';
	}
	if (strlen(real) < cap)
		memcpy(ret, real, strlen(real) + 1);
}

/* Where the path is seen from outside, the remedy says so. */
static void need_scripts(struct view *v, const char *who)
{
	const char *root = v->jailed ? v->pool->chroot : "";
	size_t len = strlen(root);

	for (const char **a = v->pool->argv[0] != NULL ? v->pool->argv + 1 : v->pool->argv; *a != NULL; a++) {
		int r = (*a)[0] == '/' ? world_access(&v->world, *a, R_OK) : 0;

		if (r == -ENOENT && len > 0 && strncmp(*a, root, len) == 0 && (*a)[len] == '/')
			look_warn(v->report, "command", "%s is handed %s, which is not there%s (write %s: the path is seen from inside the chroot)", who, *a,
				  view_where(v), *a + len);
		else if (r < 0)
			look_warn(v->report, "command", "%s is handed %s: %s%s%s", who, *a, strerror(-r), view_where(v), r == -ENOENT ? " (put it there)" : "");
	}
}

static bool look_at_module(void *ctx, const char *path)
{
	libraries_of_module(ctx, path);
	return true;
}

void needs_of_languages(struct view *v, const struct program *p, struct libraries *l)
{
	char prefix[256];

	prefix_of(p, prefix, sizeof(prefix));
	for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++) {
		const struct language *g = &languages[i];

		if (!speaks(g, p, l))
			continue;
		for (size_t n = 0; n < sizeof(g->needs) / sizeof(g->needs[0]) && g->needs[n].what != NULL; n++)
			need(v, g->name, prefix, &g->needs[n]);
		if (g->script)
			need_scripts(v, g->name);
		if (g->loads != NULL && !libraries_load(l, g->loads) && libraries_on_host(l, g->loads))
			look_warn(v->report, "command", "%s loads %s to serve FastCGI, which is not there%s%s", g->name, g->loads, view_where(v),
				  libraries_remedy(l, g->loads));
		if (v->jailed)
			for_each(&v->world, g->modules, prefix, look_at_module, l);
	}
}

/* ---- TLS and time ---- */

void needs_of_tls(struct view *v, const struct libraries *l)
{
	static const struct need certificates = {
		"certificates of authorities to check a peer's by",
		"/etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem",
		"/etc/ssl/certs /usr/share/ca-certificates /usr/lib/ssl",
		"ca-certificates",
		"SSL_CERT_FILE= SSL_CERT_DIR=",
	};

	if (libraries_include(l, "libssl.so*") || libraries_include(l, "libgnutls.so*"))
		need(v, "TLS", "/usr", &certificates);
}

/* TZ=Europe/Berlin, not TZ=CET-1CEST, is a file's name. */
void needs_of_time(struct view *v)
{
	for (const char **e = v->pool->envp; *e != NULL; e++) {
		const char *zone = strncmp(*e, "TZ=", 3) == 0 ? *e + 3 + ((*e)[3] == ':') : "";
		char path[WORLD_PATH_MAX];

		if (zone[0] == '\0' || (zone[0] != '/' && strchr(zone, '/') == NULL))
			continue;
		snprintf(path, sizeof(path), "%s%s", zone[0] == '/' ? "" : "/usr/share/zoneinfo/", zone);
		if (world_access(&v->world, path, R_OK) < 0)
			look_warn(v->report, view_key(v), "%s: there is no %s%s%s", *e, path, view_where(v), remedy_file(v, path, path, "644", "tzdata"));
	}
}

/* ---- devices ---- */

void needs_of_devices(struct view *v)
{
	static const struct {
		const char *path;
		unsigned major, minor; /* Documentation/admin-guide/devices.txt of Linux */
		int flags;
	} devices[] = {{"/dev/null", 1, 3, O_RDWR}, {"/dev/urandom", 1, 9, O_RDONLY}};

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		const char *path = devices[i].path;
		unsigned major = devices[i].major, minor = devices[i].minor;
		int r = world_try_device(&v->world, path, major, minor, devices[i].flags);

		if (r == -ENOTSUP)
			look_warn(v->report, view_key(v), "%s%s is not the device (%u, %u)%s", path, view_where(v), major, minor,
				  remedy_device(v, path, major, minor));
		else if (r == -EACCES && !remedy_nodev(v))
			look_warn(v->report, view_key(v), "%s%s: uid %u may not open it%s", path, view_where(v), (unsigned)geteuid(),
				  remedy_access(v, path, "a+rw"));
		else if (r < 0)
			look_warn(v->report, view_key(v), "%s%s: %s%s", path, view_where(v), strerror(-r), remedy_device(v, path, major, minor));
	}
}
