/* What the resolution of names needs (look process): /etc/resolv.conf, /etc/hosts, and with glibc /etc/nsswitch.conf and the modules that it names, which
 * are loaded when the first name is looked up. */
#include "fcgipm/look/needs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/look/remedy.h"

enum { NSSWITCH_MAX = 64 << 10, SERVICES_MAX = 32, SERVICE_MAX = 48 };

/* Who names one of these in its strings looks names up. */
static const char *const resolvers[] = {"getaddrinfo", "gethostbyname", "gethostbyname_r", "gethostbyname2_r", "res_query", "res_nquery", NULL};

static void need_file(struct view *v, const char *path, const char *why)
{
	int r = world_access(&v->world, path, R_OK);

	if (r == -EACCES)
		look_warn(v->report, view_key(v), "%s%s: uid %u may not read it, and %s%s", path, view_where(v), (unsigned)geteuid(), why,
			  remedy_access(v, path, "a+r"));
	else if (r < 0)
		look_warn(v->report, view_key(v), "%s%s: %s, and %s%s", path, view_where(v), strerror(-r), why, remedy_file(v, path, path, "644", NULL));
}

/* ---- modules ---- */

struct services {
	char names[SERVICES_MAX][SERVICE_MAX];
	unsigned count;
};

static void take_service(struct services *s, const char *name, size_t len)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	if (s->count == SERVICES_MAX || len >= SERVICE_MAX || strspn(name, good) < len)
		return;
	memcpy(s->names[s->count], name, len);
	s->names[s->count][len] = '\0';
	for (unsigned i = 0; i < s->count; i++)
		if (strcmp(s->names[i], s->names[s->count]) == 0)
			return;
	s->count++;
}

/* "hosts: files mdns4_minimal [NOTFOUND=return] dns # why" */
static void take_line(struct services *s, char *line)
{
	char *at = strchr(line, ':');
	size_t len;

	line[strcspn(line, "#")] = '\0';
	for (at = at != NULL && at < line + strlen(line) ? at + 1 : line + strlen(line); *at != '\0'; at += len) {
		at += strspn(at, " \t");
		len = at[0] == '[' ? strcspn(at, "]") : strcspn(at, " \t[");
		if (at[0] == '[')
			len += at[len] == ']';
		else if (len > 0)
			take_service(s, at, len);
	}
}

/* Since 2.34 glibc's own C library does what these did (NEWS of glibc). */
static bool built_in(struct libraries *l, const char *service)
{
	return (strcmp(service, "files") == 0 || strcmp(service, "dns") == 0) && libraries_c_version(l, "GLIBC_2.34");
}

/* What the real root has not either is somebody's choice: Debian's file names modules that are not installed. */
static void need_module(struct view *v, struct libraries *l, const char *service)
{
	char name[SERVICE_MAX + 16];

	if (built_in(l, service))
		return;
	snprintf(name, sizeof(name), "libnss_%s.so.2", service);
	if (!libraries_load(l, name) && (libraries_on_host(l, name) || strcmp(service, "files") == 0 || strcmp(service, "dns") == 0))
		look_warn(v->report, view_key(v), "/etc/nsswitch.conf%s names %s, and %s is not there%s", view_where(v), service, name,
			  libraries_remedy(l, name));
}

static void need_modules(struct view *v, struct libraries *l)
{
	fp_autofree char *text = NULL;
	struct services services = {.count = 0};
	char *save = NULL;
	size_t len;

	if (world_read(&v->world, "/etc/nsswitch.conf", NSSWITCH_MAX, &text, &len) < 0)
		return;
	for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		take_line(&services, line);
	for (unsigned i = 0; i < services.count; i++)
		need_module(v, l, services.names[i]);
}

void needs_of_names(struct view *v, struct libraries *l)
{
	if (!l->ready || !libraries_mention(l, resolvers))
		return;
	need_file(v, "/etc/resolv.conf", "no name server is known");
	need_file(v, "/etc/hosts", "localhost has no address");
	if (libraries_are_musl(l))
		return;
	need_file(v, "/etc/nsswitch.conf", "the C library's own order holds");
	need_modules(v, l);
}
