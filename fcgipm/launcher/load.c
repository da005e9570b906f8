/* Loading the configuration (launcher process).  conf and look are other processes under other accounts; what they say is foreign bytes: conf's messages
 * come through a table, its spec must be sealed, is decoded within bounds and held against the floors; a conf that breaks the protocol is killed and
 * the load fails, nothing else. */
#include "fcgipm/launcher/load.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fcgipm/base/clock.h"
#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/base/text.h"
#include "fcgipm/base/units.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/load_state.h"
#include "fcgipm/launcher/requests.h"
#include "fcgipm/launcher/runtime.h"
#include "fcgipm/priv/files.h"
#include "fcgipm/wire/conf.h"
#include "fcgipm/wire/table.h"

enum { CONF_LIMIT_MS = 20000, CONF_GOODBYE_MS = 1000, INCLUDES_MAX = 4096, PHASE_READING = 2 };

/* One at a time, too large for a stack. */
static struct wire_dgram out;

static void conf_refuse(struct load *ld, const char *reason, const char *what)
{
	struct launcher *l = ld->launcher;

	l->refused++;
	log_warn("conf.refused", KS("reason", reason), KS("message", what), KI("count", l->refused));
	load_fail(ld, "%s: the process that reads it broke the protocol (%s: %s)", l->config, what, reason);
}

static void close_conf(struct load *ld)
{
	loop_unwatch(&ld->launcher->loop, &ld->sock);
	fp_close(&ld->sock.fd);
	outbox_clear(&ld->files);
}

void load_fail(struct load *ld, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fp_doc_add(&ld->text, "%s\n", text);
	ld->errors++;
	ld->failed = true;
	close_conf(ld);
	if (ld->conf_running)
		child_kill(&ld->conf);
}

/* ---- includes ---- */

static void send_files(struct load *ld, const struct wire_conf_files *m, const int *fds, unsigned count)
{
	struct wire_wr w;
	int r;

	wire_begin(&out, &w, WIRE_CONF_FILES, 0);
	wire_put_conf_files(&w, m);
	r = wire_end(&out, &w);
	if (r == 0)
		r = outbox_put(&ld->files, ld->sock.fd, &out, fds, count);
	if (r < 0)
		load_fail(ld, "%s: cannot hand on an included file: %s", ld->launcher->config, strerror(-r));
}

/* A socket holds a few hundred descriptors: the rest waits until conf has read those. */
static void send_waiting(struct load *ld)
{
	uint32_t events;

	if (ld->sock.fd < 0)
		return;
	if (outbox_flush(&ld->files, ld->sock.fd) < 0)
		outbox_clear(&ld->files); /* it is gone, as the next read shows */
	events = EPOLLIN | (ld->files.first != NULL ? EPOLLOUT : 0U);
	if (events == ld->sock.events)
		return;
	ld->sock.events = events;
	loop_watch(&ld->launcher->loop, &ld->sock);
}

/* Four descriptors a message. */
static void send_includes(struct load *ld, const int *fds, char *const *paths, unsigned count)
{
	for (unsigned at = 0; at < count && ld->sock.fd >= 0; at += WIRE_FDS_MAX) {
		unsigned n = count - at < WIRE_FDS_MAX ? count - at : WIRE_FDS_MAX;
		struct wire_conf_files m = {
			.more = at + n<count, .text = "", .path0 = paths[at], .path1 = n> 1 ? paths[at + 1] : "",
			.path2 = n > 2 ? paths[at + 2] : "",
			.path3 = n > 3 ? paths[at + 3] : "",
		};

		send_files(ld, &m, fds + at, n);
	}
}

static void answer_include(struct load *ld, const char *pattern, const struct priv_includes *to)
{
	struct fp_err err = {0};
	int n = to->fds != NULL && to->paths != NULL ? priv_open_includes(ld->dir_fd, pattern, to, &err) : -ENOMEM;

	if (n <= 0)
		send_files(ld, &(struct wire_conf_files){.code = -n, .text = err.text, .path0 = "", .path1 = "", .path2 = "", .path3 = ""}, NULL, 0);
	else
		send_includes(ld, to->fds, to->paths, (unsigned)n);
	for (int i = 0; i < n; i++) {
		fp_close(&to->fds[i]);
		free(to->paths[i]);
	}
	send_waiting(ld);
}

static int on_CONF_INCLUDE(void *ctx, struct wire_dgram *d)
{
	struct load *ld = ctx;
	struct wire_rd r = wire_body(d);
	struct wire_conf_include m;
	fp_autofree int *fds = NULL;
	fp_autofree char **paths = NULL;

	if (!wire_read_conf_include(&r, &m) || !wire_done(&r))
		return -EBADMSG;
	if (ld->files.first != NULL) {
		conf_refuse(ld, "asks before it has read", "CONF_INCLUDE");
		return 0;
	}
	fds = calloc(INCLUDES_MAX, sizeof(*fds));
	paths = calloc(INCLUDES_MAX, sizeof(*paths));
	answer_include(ld, m.pattern, &(struct priv_includes){.fds = fds, .paths = paths, .max = INCLUDES_MAX});
	return 0;
}

/* ---- the result ---- */

/* The text goes to a terminal or a log: control bytes of a conf that was taken over must not. */
static void take_text(struct load *ld, int fd)
{
	const void *at;
	size_t len;

	if (fp_memfd_map(fd, WIRE_CONF_TEXT_MAX, &at, &len) < 0) {
		conf_refuse(ld, "text not sealed", "CONF_RESULT");
		return;
	}
	fp_doc_add(&ld->text, "%.*s", (int)len, len > 0 ? (const char *)at : "");
	if (len > 0)
		munmap((void *)(uintptr_t)at, len);
	if (ld->text.at != NULL)
		fp_text_wash(ld->text.at, "\n");
}

/* Behind conf's warnings stands the dump: a configuration and nothing else. */
static void part_dump(struct load *ld)
{
	char *dump = ld->text.at;

	for (uint32_t i = 0; dump != NULL && i < ld->warnings; i++)
		dump = strchr(dump, '\n') != NULL ? strchr(dump, '\n') + 1 : NULL;
	if (dump == NULL)
		return;
	fp_doc_add(&ld->dump, "%s", dump);
	*dump = '\0';
	ld->text.len = (size_t)(dump - ld->text.at);
}

static void take_spec(struct load *ld, int fd)
{
	struct fp_err err = {0};
	int r = fp_memfd_map(fd, WIRE_CONF_SPEC_MAX, &ld->map, &ld->map_len);

	if (r == 0)
		r = spec_file_decode(ld->map, ld->map_len, &ld->spec, &err);
	if (r < 0) {
		conf_refuse(ld, r == -EPERM ? "spec not sealed" : err.text[0] != '\0' ? err.text : "spec unreadable", "CONF_RESULT");
		return;
	}
	ld->have_spec = true;
}

static int on_CONF_RESULT(void *ctx, struct wire_dgram *d)
{
	struct load *ld = ctx;
	struct wire_rd r = wire_body(d);
	struct wire_conf_result m;
	fp_autoclose int text = -1, spec = -1;

	if (!wire_read_conf_result(&r, &m) || !wire_done(&r) || d->nfds == 0 || (m.errors == 0) != (d->nfds == 2))
		return -EBADMSG;
	text = wire_take_fd(d, 0);
	spec = wire_take_fd(d, 1);
	ld->errors = m.errors;
	ld->warnings = m.warnings;
	take_text(ld, text);
	if (!ld->failed && m.errors == 0 && ld->launcher->dump)
		part_dump(ld);
	if (!ld->failed && m.errors == 0)
		take_spec(ld, spec);
	if (ld->failed)
		return 0;
	ld->judged = true;
	close_conf(ld);
	child_limit(&ld->conf, CONF_GOODBYE_MS);
	apply_judged(ld);
	return 0;
}

#define on_LOOK_RESULT NULL /* look's, on a socket of its own */
#define READING        (PHASE_READING)
#define ROW(type, NAME, fields, when, most, least_fds, most_fds)                                                                                               \
	[type] = {.name = #NAME, .handle = on_##NAME, .phases = when, .max_len = (most), .min_fds = (least_fds), .max_fds = (most_fds)},
static const struct wire_row rows[] = {WIRE_CONF_REPORTS(ROW)};
#undef READING

static void conf_gone(struct load *ld)
{
	const char *signal = WIFSIGNALED(ld->conf_status) ? fp_signal_name(WTERMSIG(ld->conf_status)) : NULL;

	if (ld->judged || ld->failed || ld->conf_running || ld->sock.fd >= 0)
		return;
	if (ld->conf.failure.step == PRIV_STEP_TIMEOUT)
		load_fail(ld, "%s: the process that reads it took longer than %d seconds and was ended", ld->launcher->config, CONF_LIMIT_MS / 1000);
	else if (ld->conf.failure.step != PRIV_STEP_NONE)
		load_fail(ld, "%s: cannot start fcgipm-conf: %s: %s", ld->launcher->config, priv_step_name(ld->conf.failure.step),
			  strerror(ld->conf.failure.error));
	else
		load_fail(ld, "%s: the process that reads it ended without an answer%s%s", ld->launcher->config, signal != NULL ? ", by signal " : "",
			  signal != NULL ? signal : "");
}

static void conf_message(struct load *ld, struct wire_dgram *in)
{
	const char *name = "?";
	enum wire_refusal why = wire_dispatch(&WIRE_TABLE(rows), PHASE_READING, ld, in, &name);

	if (why != WIRE_ACCEPTED)
		conf_refuse(ld, wire_refusal_name(why), name);
}

static void conf_ready(void *ctx, uint32_t events)
{
	static struct wire_dgram in;
	struct load *ld = ctx;
	int r = wire_recv(ld->sock.fd, &in);

	(void)events;
	if (r == 1)
		conf_message(ld, &in);
	else if (r == -EMSGSIZE || r == -EPROTO)
		conf_refuse(ld, r == -EMSGSIZE ? "too long" : "malformed", "?");
	else if (r != -EAGAIN && r != -EINTR)
		close_conf(ld);
	send_waiting(ld);
	conf_gone(ld);
	load_free_if_done(ld);
}

/* ---- conf's process ---- */

static void conf_exited(struct child *c, int status)
{
	struct load *ld = (struct load *)((char *)c - offsetof(struct load, conf));

	ld->conf_status = status; /* what it said counts; a last message may still lie in the socket */
	ld->conf_running = false;
	conf_gone(ld);
	load_free_if_done(ld);
}
static const struct child_ops conf_ops = {.what = "conf", .session = true, .keeps_limit = true, .exited = conf_exited};

static int conf_exec(struct load *ld, int exe, int link)
{
	static const char *const argv[] = {"fcgipm-conf", NULL};
	struct launcher *l = ld->launcher;
	struct priv_jail jail = {
		.stdio = {l->null_fd, l->null_fd, l->null_fd},
		.keep = {link},
		.keep_count = 1,
		.keep_as = WIRE_CONF_FD,
		.new_session = true,
		.change_account = !l->ordinary,
		.uid = l->conf.uid,
		.gid = l->conf.gid,
		.chroot = "",
		.directory = "/",
		.umask = 077,
		.nice = l->nice,
		.limits = {{RLIMIT_CORE, 0}},
		.limit_count = 1,
		.no_new_privs = true,
		.exec_fd = exe,
		.path = "fcgipm-conf",
		.argv = argv,
		.envp = (const char *const *)environ, /* inherit_environment takes its values from it */
	};
	int r = child_exec(l, &ld->conf, &conf_ops, &jail);

	if (r == 0) {
		ld->conf_running = true;
		child_limit(&ld->conf, CONF_LIMIT_MS);
	}
	return r;
}

static int conf_start(struct load *ld, int file)
{
	struct launcher *l = ld->launcher;
	fp_autofree char *runtime = runtime_default(l);
	struct wire_conf_start m = {
		.path = l->config,
		.uid = l->self.uid,
		.gid = l->self.gid,
		.runtime = runtime != NULL ? runtime : "",
		.flags = (l->ordinary ? WIRE_CONF_ORDINARY : 0) | (l->dump ? WIRE_CONF_DUMP : 0) | (l->secrets ? WIRE_CONF_SECRET : 0),
	};
	struct wire_wr w;
	int r;

	wire_begin(&out, &w, WIRE_CONF_START, 0);
	wire_put_conf_start(&w, &m);
	r = wire_end(&out, &w);
	return r == 0 ? wire_send(ld->sock.fd, &out, &file, 1) : r;
}

static int load_begin(struct load *ld, struct fp_err *err)
{
	struct launcher *l = ld->launcher;
	fp_autoclose int file = -1, exe = -1, theirs = -1;
	fp_autofree char *dir = strdup(l->config);
	int pair[2], r = priv_open_config(l->config, &file, err);

	if (r < 0)
		return r;
	ld->dir_fd = open(dir != NULL ? dirname(dir) : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	exe = runtime_open_role(l, "fcgipm-conf");
	if (exe < 0 || ld->dir_fd < 0)
		return fp_fail(err, exe < 0 ? -exe : errno, "%s: cannot open fcgipm-conf or the file's directory: %m", l->config);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fp_fail(err, errno, "cannot make a socket pair: %m");
	theirs = pair[1];
	fp_set_nonblock(pair[0], true);
	ld->sock = (struct loop_source){.fd = pair[0], .events = EPOLLIN, .ready = conf_ready, .ctx = ld};
	r = conf_start(ld, file);
	if (r == 0)
		r = conf_exec(ld, exe, theirs);
	if (r < 0)
		return fp_fail(err, -r, "cannot start fcgipm-conf: %m");
	return loop_watch(&l->loop, &ld->sock);
}

static void load_free(struct load *ld)
{
	close_conf(ld);
	fp_close(&ld->dir_fd);
	fp_doc_fini(&ld->text);
	fp_doc_fini(&ld->dump);
	findings_fini(&ld->findings);
	if (ld->have_spec)
		spec_file_free(&ld->spec);
	if (ld->map != NULL)
		munmap((void *)(uintptr_t)ld->map, ld->map_len);
	free(ld->wanted);
	ld->launcher->load = NULL;
	free(ld);
}

void load_free_if_done(struct load *ld)
{
	struct launcher *l = ld->launcher;

	if (ld->conf_running || ld->looks_running > 0 || (!ld->failed && !ld->applied))
		return;
	apply_end(ld);
	load_free(ld);
	requests_reload_next(l);
}

int load_start(struct launcher *l, enum load_kind kind, struct fp_err *err)
{
	struct load *ld = calloc(1, sizeof(*ld));
	int r;

	if (ld == NULL)
		return fp_fail(err, ENOMEM, "no memory");
	*ld = (struct load){.launcher = l, .kind = kind, .dir_fd = -1, .sock.fd = -1};
	outbox_init(&ld->files);
	l->load = ld;
	r = load_begin(ld, err);
	if (r < 0)
		load_free(ld);
	return r;
}

void load_settled(struct launcher *l)
{
	struct load *ld = l->load;

	if (ld == NULL || !ld->looks_wait)
		return;
	handed_report(l);
	ld->looks_wait = false;
	looks_go_on(ld);
	load_free_if_done(ld);
}

void load_cancel(struct launcher *l)
{
	if (l->load == NULL || l->load->failed)
		return;
	load_fail(l->load, "%s: given up", l->config);
	load_free_if_done(l->load);
}
