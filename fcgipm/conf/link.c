/* conf's side of wire/conf.h (conf process): takes the configuration's descriptors from the launcher, asks for includes, gives back the report and the
 * spec as sealed memfds.  It must never open a file of the configuration itself. */
#include "fcgipm/conf/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/conf/file.h"
#include "fcgipm/conf/judge.h"
#include "fcgipm/wire/conf.h"
#include "fcgipm/wire/dgram.h"

struct seen {
	dev_t dev;
	ino_t ino;
};

struct conf_link {
	int sock, error; /* error: -errno, the first */
	struct wire_dgram in, out;
	char path[4096], runtime[4096];
	uint32_t flags;
	struct conf_world world;
	struct conf_report *report;
	struct conf_job *job;
	struct seen seen[CONF_FILES_MAX];
	uint32_t seen_count;
};

/* ---- files ---- */

/* Patterns overlap, and "*.yaml" may well match the main file: each file is read once. */
static bool is_new(struct conf_link *l, const struct stat *st)
{
	for (uint32_t i = 0; i < l->seen_count; i++)
		if (l->seen[i].dev == st->st_dev && l->seen[i].ino == st->st_ino)
			return false;
	if (l->seen_count < CONF_FILES_MAX)
		l->seen[l->seen_count++] = (struct seen){st->st_dev, st->st_ino};
	return true;
}

static void add_file(struct conf_link *l, const char *name, int fd)
{
	fp_autofree char *bytes = NULL;
	struct stat st;
	size_t len = 0;
	int r = fstat(fd, &st) < 0 ? -errno : 0;

	if (r == 0 && (!is_new(l, &st) || !conf_job_has_room(l->job, st.st_size <= CONF_FILE_MAX ? (uint64_t)st.st_size : 0)))
		return;
	if (r == 0)
		r = conf_file_read(fd, &bytes, &len);
	if (r == -EFBIG)
		len = CONF_FILE_MAX + 1; /* judged as too large */
	if (conf_job_add(l->job, name, bytes, r == 0 || r == -EFBIG ? len : 0) < 0)
		conf_error(l->report, (struct spec_place){0, 1, 1}, "include: too many files (%d at most)", CONF_FILES_MAX);
	else if (r < 0 && r != -EFBIG)
		conf_error(l->report, (struct spec_place){l->report->file_count - 1, 1, 1}, "cannot be read: %s", strerror(-r));
}

static size_t dir_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? (size_t)(slash - path) + 1 : 0;
}

static void add_included(struct conf_link *l, const char *relative, int fd)
{
	char name[8192];
	struct fp_text t = FP_TEXT(name);

	fp_text_add(&t, "%.*s%s", (int)dir_len(l->path), l->path, relative);
	add_file(l, name, fd);
}

static int take_files(struct conf_link *l, const struct wire_conf_files *m)
{
	const char *paths[] = {m->path0, m->path1, m->path2, m->path3};

	if (l->in.nfds > sizeof(paths) / sizeof(paths[0]))
		return -EPROTO;
	for (unsigned i = 0; i < l->in.nfds; i++)
		add_included(l, paths[i], l->in.fds[i]);
	return (int)l->in.nfds;
}

/* ---- includes ---- */

struct answer {
	unsigned files;
	bool more;
	int32_t code;
	char text[512];
};

static int receive_files(struct conf_link *l, struct answer *a)
{
	struct wire_rd r;
	struct wire_conf_files m;
	struct fp_text t = FP_TEXT(a->text);
	int n = wire_recv(l->sock, &l->in);

	if (n <= 0)
		return n == 0 ? -EPIPE : n;
	r = wire_body(&l->in);
	if (l->in.type != WIRE_CONF_FILES || !wire_read_conf_files(&r, &m) || !wire_done(&r))
		n = -EPROTO;
	else
		n = take_files(l, &m);
	wire_dgram_close(&l->in);
	if (n < 0)
		return n;
	a->files += (unsigned)n;
	a->more = m.more != 0;
	a->code = m.code;
	fp_text_add(&t, "%s", m.text);
	return 0;
}

static int ask(struct conf_link *l, const char *pattern, struct answer *ret)
{
	struct wire_wr w;
	int r;

	wire_begin(&l->out, &w, WIRE_CONF_INCLUDE, 0);
	wire_put_conf_include(&w, &(struct wire_conf_include){pattern});
	r = wire_end(&l->out, &w);
	if (r == 0)
		r = wire_send(l->sock, &l->out, NULL, 0);
	do {
		if (r == 0)
			r = receive_files(l, ret);
	} while (r == 0 && ret->more);
	return r;
}

/* Patterns are relative to the main file's directory; one that begins with it means the same. */
static const char *relative_pattern(const struct conf_link *l, const char *pattern)
{
	size_t len = dir_len(l->path);

	return len > 1 && strncmp(pattern, l->path, len) == 0 ? pattern + len : pattern;
}

static void include(void *ctx, struct spec_place place, const char *pattern)
{
	struct conf_link *l = ctx;
	struct answer a = {0};
	const char *relative = relative_pattern(l, pattern);

	if (l->error < 0)
		return;
	if (relative[0] == '\0' || relative[0] == '/' || strlen(relative) > 4096) {
		conf_error(l->report, place, "include: \"%.64s\" is not below this file's directory (such as pools.d/*.yaml)", pattern);
		return;
	}
	l->error = ask(l, relative, &a);
	if (l->error < 0)
		return;
	if (a.code != 0)
		conf_error(l->report, place, "include: %.64s: %s", pattern, a.text[0] != '\0' ? a.text : strerror(a.code));
	else if (a.files == 0 && strpbrk(relative, "*?[") == NULL)
		conf_error(l->report, place, "include: %.64s: no such file (a pattern may match none)", pattern);
}

/* ---- the result ---- */

static int send_result(struct conf_link *l, const struct wire_conf_result *m, const int *fds, unsigned count)
{
	struct wire_wr w;
	int r;

	wire_begin(&l->out, &w, WIRE_CONF_RESULT, 0);
	wire_put_conf_result(&w, m);
	r = wire_end(&l->out, &w);
	return r == 0 ? wire_send(l->sock, &l->out, fds, count) : r;
}

static int make_spec(struct conf_link *l, int *ret_fd)
{
	fp_autofree void *bytes = NULL;
	size_t len;
	int r = conf_job_spec(l->job, &bytes, &len);

	if (r == 0)
		r = len > WIRE_CONF_SPEC_MAX ? -E2BIG : fp_memfd_sealed("fcgipm-spec", bytes, len, ret_fd);
	return r;
}

/* The spec is made first: that it is too large is a finding as well. */
static int result(struct conf_link *l)
{
	struct wire_conf_result m;
	struct fp_doc doc = {0};
	fp_autoclose int text = -1, spec = -1;
	int r = 0;

	if (l->report->errors == 0 && make_spec(l, &spec) < 0)
		conf_error(l->report, (struct spec_place){0, 1, 1}, "pools: too many (the spec would exceed %d MB)", WIRE_CONF_SPEC_MAX >> 20);
	conf_report_print(l->report, &doc, &m.errors, &m.warnings);
	if (m.errors == 0 && (l->flags & WIRE_CONF_DUMP) != 0)
		conf_job_dump(l->job, &doc);
	if (doc.failed || doc.len > WIRE_CONF_TEXT_MAX)
		r = -EFBIG;
	if (r == 0)
		r = fp_memfd_sealed("fcgipm-report", doc.at, doc.len, &text);
	fp_doc_fini(&doc);
	return r < 0 ? r : send_result(l, &m, (const int[]){text, spec}, m.errors == 0 ? 2 : 1);
}

/* ---- the start ---- */

static int receive_start(struct conf_link *l, int *ret_fd)
{
	struct wire_rd r;
	struct wire_conf_start m;
	struct fp_text path = FP_TEXT(l->path), runtime = FP_TEXT(l->runtime);
	int n = wire_recv(l->sock, &l->in);

	if (n <= 0)
		return n == 0 ? -EPIPE : n;
	r = wire_body(&l->in);
	if (l->in.type == WIRE_CONF_START && l->in.nfds == 1 && wire_read_conf_start(&r, &m) && wire_done(&r)) {
		fp_text_add(&path, "%s", m.path);
		fp_text_add(&runtime, "%s", m.runtime);
		l->flags = m.flags;
		l->world.uid = m.uid;
		l->world.gid = m.gid;
		*ret_fd = wire_take_fd(&l->in, 0);
		n = path.cut || runtime.cut ? -ENAMETOOLONG : 0;
	} else {
		n = -EPROTO;
	}
	wire_dgram_close(&l->in);
	return n;
}

static int serve(struct conf_link *l, char *const *environment)
{
	fp_autoclose int file = -1;
	int r = receive_start(l, &file);

	if (r < 0)
		return r;
	l->world.ordinary = (l->flags & WIRE_CONF_ORDINARY) != 0;
	l->world.conf_uid = getuid();
	l->world.conf_gid = getgid();
	l->world.somaxconn = conf_file_somaxconn();
	l->world.runtime = l->runtime;
	l->world.environment = environment;
	l->job->want_dump = (l->flags & WIRE_CONF_DUMP) != 0;
	l->job->secrets = (l->flags & WIRE_CONF_SECRET) != 0;
	add_file(l, l->path, file);
	conf_job_includes(l->job, include, l);
	if (l->error < 0)
		return l->error;
	conf_job_judge(l->job);
	return result(l);
}

int conf_serve(int sock, char *const *environment)
{
	struct conf_link *l = calloc(1, sizeof(*l));
	struct conf_system_accounts *accounts = NULL;
	int r = -ENOMEM;

	if (l == NULL)
		return r;
	l->sock = sock;
	accounts = conf_system_accounts_new(&l->world.accounts);
	l->report = conf_report_new();
	l->job = l->report != NULL ? conf_job_new(&l->world, l->report) : NULL;
	if (accounts != NULL && l->job != NULL)
		r = serve(l, environment);
	conf_job_free(l->job);
	conf_report_free(l->report);
	if (accounts != NULL)
		conf_system_accounts_free(accounts);
	free(l);
	return r;
}
