/* Looks (launcher process): a short-lived child under each changed pool's account sees what only that account's rights can show.  What it says is an
 * account's own word, bounded and cleaned of control bytes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "fcgipm/base/fd.h"
#include "fcgipm/base/log.h"
#include "fcgipm/base/text.h"
#include "fcgipm/launcher/launcher.h"
#include "fcgipm/launcher/link.h"
#include "fcgipm/launcher/load_state.h"
#include "fcgipm/launcher/runtime.h"
#include "fcgipm/wire/conf.h"

enum { LOOK_LIMIT_MS = 5000 };

/* The key of a place, as look names it. */
static const char *const origin_keys[SPEC_ORIGIN_COUNT] = {
	[SPEC_ORIGIN_POOL] = "pool",           [SPEC_ORIGIN_COMMAND] = "command",
	[SPEC_ORIGIN_USER] = "user",           [SPEC_ORIGIN_CHROOT] = "chroot",
	[SPEC_ORIGIN_DIRECTORY] = "directory", [SPEC_ORIGIN_LISTEN] = "listen",
	[SPEC_ORIGIN_OUTPUT] = "output",       [SPEC_ORIGIN_ENVIRONMENT_FILE] = "environment_file",
};

/* ---- findings ---- */

static void add_line(struct load *ld, const struct spec_entry *e, enum spec_origin at, bool warning, const char *text)
{
	const struct spec_place *p = &e->places[at];

	findings_add(&ld->findings, &(struct finding){.warning = warning,
						      .place = *p,
						      .pool_index = (uint32_t)(e - ld->spec.pools),
						      .file = p->file < ld->spec.file_count ? ld->spec.files[p->file] : ld->launcher->config,
						      .pool = e->name,
						      .key = at == SPEC_ORIGIN_POOL ? "" : origin_keys[at],
						      .text = text});
}

void looks_add_finding(struct load *ld, const struct spec_entry *e, enum spec_origin at, const char *text)
{
	add_line(ld, e, at, false, text);
	ld->errors++;
}

static void add_warning(struct load *ld, const struct spec_entry *e, enum spec_origin at, const char *text)
{
	add_line(ld, e, at, true, text);
	ld->warnings++;
	if (ld->kind == LOAD_START)
		log_warn("pool.warning", KS("pool", e->name), KS("key", origin_keys[at]), KS("text", text));
}

static enum spec_origin origin_of(const char *key, size_t len)
{
	for (unsigned i = 0; i < SPEC_ORIGIN_COUNT; i++)
		if (strlen(origin_keys[i]) == len && memcmp(origin_keys[i], key, len) == 0)
			return (enum spec_origin)i;
	return SPEC_ORIGIN_POOL;
}

/* A pool that cannot run: an error of the file for check and reload; when serving, that pool alone is failed and the manager is told. */
static void pool_failed(struct load *ld, const struct spec_entry *e, const char *text)
{
	struct launcher *l = ld->launcher;
	struct pool *p = ld->kind == LOAD_START ? pool_find(&l->pools, e->name) : NULL;

	log_debug("look.finding", KS("pool", e->name), KS("finding", text));
	if (p == NULL || p->current == NULL)
		return;
	free(p->current->failure);
	p->current->failure = strdup(text);
	log_warn("pool.unfit", KS("pool", e->name), KS("reason", text));
	link_pool(l, p, p->current);
}

/* At the start a socket is bound and a file opened anyway, and who does that says what came of it; else the launcher may have seen it already, with its own
 * rights. */
static bool is_seen_otherwise(const struct load *ld, const struct spec_entry *e, enum spec_origin at)
{
	if (at != SPEC_ORIGIN_LISTEN && at != SPEC_ORIGIN_OUTPUT)
		return false;
	return ld->kind == LOAD_START || findings_has(&ld->findings, (uint32_t)(e - ld->spec.pools), origin_keys[at]);
}

/* Lines of "KEY\tTEXT", "~KEY\tTEXT" for a warning. */
static void take_findings(struct load *ld, const struct spec_entry *e, char *text)
{
	char *save = NULL, first[256] = "";
	enum spec_origin at;

	for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		char *tab = strchr(line, '\t');

		if (tab == NULL)
			continue;
		fp_text_wash(tab + 1, ""); /* it saw the account's own files */
		if (line[0] == '~') {
			add_warning(ld, e, origin_of(line + 1, (size_t)(tab - line - 1)), tab + 1);
			continue;
		}
		at = origin_of(line, (size_t)(tab - line));
		if (is_seen_otherwise(ld, e, at))
			continue;
		looks_add_finding(ld, e, at, tab + 1);
		if (first[0] == '\0')
			snprintf(first, sizeof(first), "%s: %.200s", origin_keys[at], tab + 1);
	}
	if (first[0] != '\0')
		pool_failed(ld, e, first);
}

/* ---- looks ---- */

struct looker {
	struct child child;
	struct load *load;
	const struct spec_entry *entry;
	int sock;
	struct spec_pool spec;
};

/* The whole conversation is one datagram each way, so it is read when the child has ended. */
static void looker_exited(struct child *c, int status)
{
	static struct wire_dgram in;
	struct looker *k = (struct looker *)c;
	struct load *ld = k->load;
	struct wire_look_result m = {.text = ""};
	struct wire_rd r;

	(void)status;
	if (c->failure.step != PRIV_STEP_NONE) {
		char why[256];

		snprintf(why, sizeof(why), "user\tcannot look with the account's rights: %s: %s", priv_step_name(c->failure.step), strerror(c->failure.error));
		take_findings(ld, k->entry, why);
	} else if (wire_recv(k->sock, &in) == 1) {
		r = wire_body(&in);
		if (in.type == WIRE_LOOK_RESULT && wire_read_look_result(&r, &m) && wire_done(&r))
			take_findings(ld, k->entry, (char *)(uintptr_t)m.text);
		wire_dgram_close(&in);
	} else if (ld->kind == LOAD_CHECK) {
		add_warning(ld, k->entry, SPEC_ORIGIN_POOL, "could not be looked at: it took too long, or the look ended early");
	}
	fp_close(&k->sock);
	spec_pool_free(&k->spec);
	free(k);
	ld->looks_running--;
	looks_go_on(ld);
	load_free_if_done(ld);
}
static const struct child_ops looker_ops = {.what = "look", .session = true, .keeps_limit = true, .exited = looker_exited};

static int looker_send(struct looker *k)
{
	static struct wire_dgram out;
	fp_autoclose int spec = -1;
	struct wire_look_at m = {.deep = k->load->kind == LOAD_CHECK && !k->load->launcher->dump};
	struct wire_wr w;
	int r = fp_memfd_sealed("fcgipm-pool", k->entry->pool.at, k->entry->pool.len, &spec);

	wire_begin(&out, &w, WIRE_LOOK_AT, 0);
	wire_put_look_at(&w, &m);
	if (r == 0)
		r = wire_end(&out, &w);
	return r == 0 ? wire_send(k->sock, &out, &spec, 1) : r;
}

static int looker_exec(struct looker *k, int exe, int theirs)
{
	static const char *const argv[] = {"fcgipm-look", NULL};
	static const char *const envp[] = {NULL};
	struct launcher *l = k->load->launcher;
	struct priv_jail jail = {
		.stdio = {l->null_fd, l->null_fd, l->null_fd},
		.keep = {theirs},
		.keep_count = 1,
		.keep_as = WIRE_CONF_FD,
		.new_session = true,
		.change_account = !l->ordinary,
		.uid = k->spec.uid,
		.gid = k->spec.gid,
		.groups = k->spec.groups,
		.group_count = k->spec.group_count,
		.chroot = "",
		.directory = "/",
		.umask = 077,
		.nice = k->load->kind == LOAD_START ? 19 : l->nice, /* at the start there is better to do */
		.limits = {{RLIMIT_CORE, 0}, {RLIMIT_CPU, 5}},
		.limit_count = 2,
		.no_new_privs = true,
		.exec_fd = exe,
		.path = "fcgipm-look",
		.argv = argv,
		.envp = envp,
	};

	return child_exec(l, &k->child, &looker_ops, &jail);
}

static int look_at(struct load *ld, const struct spec_entry *e)
{
	fp_autoclose int exe = runtime_open_role(ld->launcher, "fcgipm-look"), theirs = -1;
	struct looker *k = calloc(1, sizeof(*k));
	int pair[2], r = k == NULL ? -ENOMEM : exe < 0 ? exe : 0;

	if (r == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		r = -errno;
	if (r < 0) {
		free(k);
		return r;
	}
	*k = (struct looker){.load = ld, .entry = e, .sock = pair[0]};
	theirs = pair[1];
	fp_set_nonblock(k->sock, true);
	r = spec_pool_decode(e->pool, &k->spec, NULL);
	if (r == 0)
		r = looker_send(k);
	if (r == 0)
		r = looker_exec(k, exe, theirs);
	if (r == 0) {
		child_limit(&k->child, LOOK_LIMIT_MS);
		ld->looks_running++;
		return 0;
	}
	fp_close(&k->sock);
	spec_pool_free(&k->spec);
	free(k);
	return r;
}

void looks_go_on(struct load *ld)
{
	while (!ld->failed && ld->next_look < ld->spec.pool_count && ld->looks_running < LOOKS_AT_ONCE) {
		uint32_t i = ld->next_look++;

		if (!ld->wanted[i])
			continue;
		if (look_at(ld, &ld->spec.pools[i]) < 0)
			looks_add_finding(ld, &ld->spec.pools[i], SPEC_ORIGIN_POOL, "cannot start the process that looks");
	}
	if (ld->looks_running == 0)
		apply_looked(ld);
}
